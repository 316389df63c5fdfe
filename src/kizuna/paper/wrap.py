"""Text broken into lines: words stay whole, Japanese may break anywhere but before closing and after opening signs.

Between `BOLD` and `PLAIN` a line is bold; every line begins plain. The two have no width.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from msgspec import Struct

BOLD, PLAIN = "\x02", "\x03"
_STRONG = re.compile(r"\*\*(?=[^\s*])(.{1,2000}?)(?<=[^\s*])\*\*")
_NEVER_FIRST = (
    "\x03、。，．・：；？！゛゜ヽヾゝゞ々ー」』】）〕］｝〉》”’ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ)]},.:;!?%％"
)
_NEVER_LAST = "\x02「『【（〔［｛〈《“‘([{〒￥¥"
_WIDE = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_PIECE = re.compile(rf"[{re.escape(_NEVER_LAST)}]*(?:[{_WIDE}]|[^\s{_WIDE}]+|[^\s])[{re.escape(_NEVER_FIRST)}]*|\s+")

Measure = Callable[[str, float], float]  # text and size to its width


class Line(Struct, frozen=True):
    """`size` and `before`, the space above it, are in points."""

    text: str
    size: float
    before: float
    indent: float = 0


def lay_out(text: str, room: float, size: float, measure: Measure) -> list[Line]:
    """Paragraphs stand apart by empty lines, `# ` begins a heading, `- ` an item, `**bold**` is bold; other ends of
    lines are kept."""
    lines: list[Line] = []
    gap = 0.0
    for said in text.replace("\r\n", "\n").strip("\n").split("\n"):
        if not said.strip():
            gap = size * 0.7
            continue
        words, own, indent = _marked(said.strip()), size, 0.0
        if words.startswith("# "):
            words, own, gap = words[2:], size * 1.45, gap and size
        elif words.startswith("- "):
            words, indent = f"• {words[2:]}", size
        for broken in _broken(words, room - indent, own, measure):
            lines.append(Line(broken, own, gap, indent))
            gap = 0.0
        gap = size * 0.4 if own > size else 0.0
    return lines


def height(lines: list[Line]) -> float:
    return sum(line.before + leading(line.size) for line in lines)


def leading(size: float) -> float:
    return size * 1.45


def _marked(said: str) -> str:
    return _STRONG.sub(rf"{BOLD}\1{PLAIN}", said.replace(BOLD, "").replace(PLAIN, ""))


def _broken(words: str, room: float, size: float, measure: Measure) -> Iterator[str]:
    line = ""
    for piece in _PIECE.findall(words):
        if not _signs(line) or measure((line + piece).rstrip(), size) <= room:
            line += piece if _signs(line) else piece.lstrip()
        else:
            yield line.rstrip()
            line = _carried(line) + piece.lstrip()
        while (fits := _fitting(line, room, size, measure)) < len(line.rstrip()):  # a word wider than the page
            yield line[:fits]
            line = _carried(line[:fits]) + line[fits:]
    if _signs(line.strip()):
        yield line.rstrip()


def _signs(line: str) -> int:
    return len(line) - line.count(BOLD) - line.count(PLAIN)


def _carried(line: str) -> str:
    """What the next line begins with, so that what is bold at the end of this one stays so."""
    return BOLD if line.rfind(BOLD) > line.rfind(PLAIN) else ""


def _fitting(line: str, room: float, size: float, measure: Measure) -> int:
    """How much of a line fits: at least one sign. What stands behind it is not looked at: words may be endless."""
    width, face, is_begun = 0.0, "", False
    for place, sign in enumerate(line):
        if sign in (BOLD, PLAIN):
            face = sign
            continue
        width += measure(face + sign, size)
        if is_begun and width > room:
            return place
        is_begun = True
    return len(line)

"""Text broken into lines: words stay whole, Japanese may break anywhere but before closing and after opening signs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from msgspec import Struct

_NEVER_FIRST = (
    "、。，．・：；？！゛゜ヽヾゝゞ々ー」』】）〕］｝〉》”’ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ)]},.:;!?%％"
)
_NEVER_LAST = "「『【（〔［｛〈《“‘([{〒￥¥"
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
    """Paragraphs stand apart by empty lines, `# ` begins a heading, `- ` an item; other ends of lines are kept."""
    lines: list[Line] = []
    gap = 0.0
    for said in text.replace("\r\n", "\n").strip("\n").split("\n"):
        if not said.strip():
            gap = size * 0.7
            continue
        words, own, indent = said.strip(), size, 0.0
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


def _broken(words: str, room: float, size: float, measure: Measure) -> Iterator[str]:
    line = ""
    for piece in _PIECE.findall(words):
        if not line or measure((line + piece).rstrip(), size) <= room:
            line += piece if line else piece.lstrip()
        else:
            yield line.rstrip()
            line = piece.lstrip()
        while (fits := _fitting(line, room, size, measure)) < len(line.rstrip()):  # a word wider than the page
            yield line[:fits]
            line = line[fits:]
    if line.strip():
        yield line.rstrip()


def _fitting(line: str, room: float, size: float, measure: Measure) -> int:
    """How many signs of a line fit: at least one. What stands behind them is not looked at: words may be endless."""
    width = 0.0
    for place, sign in enumerate(line):
        width += measure(sign, size)
        if width > room:
            return max(1, place)
    return len(line)

"""Writes the text part of a mail: what each tag of its HTML does to the lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from kizuna.core.entities import unescape
from kizuna.templates.markup import OPEN, Piece, attribute

_BLANKS = re.compile(r"[ \t\r\n\f\u00a0\u200b\u200c\u034f\ufeff]+")
_DOUBLE = re.compile(r"(?<=\S) {2,}")
_NOT_SHOWN = re.compile(r"display\s{0,9}:\s{0,9}none|mso-hide\s{0,9}:\s{0,9}all", re.IGNORECASE)
_SILENT = frozenset(("head", "script", "style", "template", "title", "noscript"))
_PARAGRAPHS = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre", "hr"))
_LINES = frozenset(("div", "tr", "li", "section", "article", "header", "footer", "center", "address", "dt", "dd"))
_EMPTY = frozenset(("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"))
DEEPEST = 8  # lists in lists that are set further in
_WORTH_SAYING = ("http://", "https://", "mailto:", "tel:")
_LONGEST_KNOWN = 300  # characters of a text that is looked through once for all mails


class Writer:
    """Takes texts and tags one after the other."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.silent: list[str] = []  # elements whose text is not shown, the innermost last
        self.depths: dict[str, int] = {}  # of elements of the same name within the silent one
        self.link: tuple[str, int, int] | None = None  # address, and where in the text its words begin
        self.lists: list[int | None] = []  # the number of the last item; None: no numbers
        self.cell = False

    def write(self, text: str) -> None:
        """As it stands in the source."""
        if self.silent:
            return
        words = _known_words(text) if len(text) < _LONGEST_KNOWN else _words(text)
        if words := words if self.line else words.lstrip(" "):
            self.line.append(words)

    def blank(self) -> None:
        """Of any width."""
        if self.line and not self.silent:
            self.line.append(" ")

    def tag(self, piece: Piece) -> None:
        if piece.kind == OPEN:
            self.open(piece.name, piece.rest)
        else:
            self.close(piece.name)

    def open(self, name: str, rest: str) -> None:
        if self.silent:
            if name == self.silent[-1]:
                self.depths[name] = self.depths.get(name, 0) + 1
        elif hides(name, rest):
            self.silent.append(name)
        elif deed := opening(name, rest):
            deed(self)

    def close(self, name: str) -> None:
        if self.silent:
            if name == self.silent[-1]:
                if self.depths.get(name, 0):
                    self.depths[name] -= 1
                else:
                    self.silent.pop()
        elif deed := closing(name):
            deed(self)

    # what tags do -----------------------------------------------------------------------------------------------------

    def rule(self) -> None:
        self.end_paragraph()
        self.line.append("-" * 20)
        self.end_paragraph()

    def picture(self, alt: str) -> None:
        self.line.append(alt)

    def begin_list(self, first: int | None) -> None:
        self.end_line(0 if self.lists else 1)
        self.lists.append(first)

    def end_list(self) -> None:
        if self.lists:
            self.lists.pop()
        self.end_line(0 if self.lists else 1)

    def begin_item(self) -> None:
        self.end_line()
        self.line.append("  " * min(max(0, len(self.lists) - 1), DEEPEST) + self.bullet())

    def begin_cell(self) -> None:
        if self.cell and self.line and not self.line[-1].endswith(" "):
            self.line.append(" ")

    def end_cell(self) -> None:
        self.cell = True

    def bullet(self) -> str:
        if not self.lists or self.lists[-1] is None:
            return "- "
        self.lists[-1] += 1
        return f"{self.lists[-1]}. "

    def begin_link(self, address: str) -> None:
        self.link = address, len(self.lines), len(self.line)

    def end_link(self) -> None:
        if not self.link:
            return
        (address, line, part), self.link = self.link, None
        if not address.lower().startswith(_WORTH_SAYING):
            return
        words = "".join([*self.lines[line:], *self.line] if line < len(self.lines) else self.line[part:]).strip()
        shown = address.removeprefix("mailto:").removeprefix("tel:")
        if not words:
            self.line.append(f" {shown}" if self.line else shown)
        elif words not in (address, shown, address.rstrip("/"), address.partition("://")[2].rstrip("/")):
            self.line.append(f" ({shown})")

    def end_line(self, empty: int = 0) -> None:
        """End the line, and leave `empty` lines after it; never two empty lines together."""
        self.cell = False
        if self.line:
            said = "".join(self.line).rstrip()
            self.line = []
            if said:
                self.lines.append(_DOUBLE.sub(" ", said) if "  " in said else said)
        if empty and self.lines and self.lines[-1]:
            self.lines.append("")

    def end_paragraph(self) -> None:
        self.end_line(1)

    def whole(self) -> str:
        self.end_line()
        return "\n".join(self.lines).strip()


Deed = Callable[[Writer], None]
_CLOSING: dict[str, Deed] = {
    **dict.fromkeys(_LINES, Writer.end_line),
    **dict.fromkeys(_PARAGRAPHS, Writer.end_paragraph),
    **dict.fromkeys(("td", "th"), Writer.end_cell),
    **dict.fromkeys(("ul", "ol"), Writer.end_list),
    "a": Writer.end_link,
}
_OPENING: dict[str, Deed] = {
    **dict.fromkeys((*_LINES, "br"), Writer.end_line),
    **dict.fromkeys(_PARAGRAPHS, Writer.end_paragraph),
    **dict.fromkeys(("td", "th"), Writer.begin_cell),
    "hr": Writer.rule,
    "li": Writer.begin_item,
    "ol": lambda writer: writer.begin_list(0),
    "ul": lambda writer: writer.begin_list(None),
}


def opening(name: str, rest: str) -> Deed | None:
    """What a tag that hides nothing does where text is shown; None: nothing."""
    if name == "a":
        address = attribute(rest, "href")
        return lambda writer: writer.begin_link(address)
    if name == "img":
        alt = _BLANKS.sub(" ", attribute(rest, "alt"))
        return (lambda writer: writer.picture(alt)) if alt else None
    return _OPENING.get(name)


def closing(name: str) -> Deed | None:
    return _CLOSING.get(name)


def hides(name: str, rest: str) -> bool:
    """Whether nothing is shown from this opening tag to its end."""
    if name in _SILENT:
        return True
    if not rest or name in _EMPTY:
        return False
    small = rest.lower()
    may_hide = "style" in small and ("none" in small or "mso-hide" in small or "&#" in small)
    return may_hide and bool(_NOT_SHOWN.search(attribute(rest, "style")))


def _words(text: str) -> str:
    """Of a text of the source, blanks of any width as one."""
    if "&" in text:
        text = unescape(text)
    if not text.isprintable() or "  " in text or "\u034f" in text:  # of the blanks one alone is printable
        text = _BLANKS.sub(" ", text)
    return text


_known_words = lru_cache(4_000)(_words)

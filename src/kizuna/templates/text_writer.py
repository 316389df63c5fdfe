"""Writes the text part of a mail: what each tag of its HTML does, as marks between its words."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from kizuna.core.entities import unescape
from kizuna.templates.markup import OPEN, TEXT, Piece, attribute
from kizuna.templates.typeset import LINE, LINK, LINK_END, PARAGRAPH, SHIFT

# blanks of any width, and what shows nothing
_BLANKS = re.compile(r"[\x00-\x20\x7f\u00a0\u200b\u200c\u034f\ufeff]+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_NOT_SHOWN = re.compile(r"display\s{0,9}:\s{0,9}none|mso-hide\s{0,9}:\s{0,9}all", re.IGNORECASE)
_SILENT = frozenset(("head", "script", "style", "template", "title", "noscript"))
_PARAGRAPHS = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre", "hr"))
_LINES = frozenset(("div", "tr", "li", "section", "article", "header", "footer", "center", "address", "dt", "dd"))
_EMPTY = frozenset(("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"))
DEEPEST = 8  # lists in lists that are set further in
_LONGEST_KNOWN = 300  # characters of a text that is looked through once for all mails


class State(NamedTuple):
    """What has been opened: all that what follows depends on."""

    silent: str = ""  # the element whose text is not shown
    depth: int = 0  # of elements of the same name within it
    lists: tuple[int | None, ...] = ()  # the number of the last item; None: no numbers
    cell: bool = False  # one has ended in this line
    link: bool = False


class Writer:
    """Takes texts and tags one after the other."""

    def __init__(self, state: State = State()) -> None:  # noqa: B008  # it never changes
        self.silent, self.depth, lists, self.cell, self.link = state
        self.lists = list(lists)
        self.script: list[str] = []
        self.addresses: list[str] = []  # of links, in the order in which they begin

    @property
    def state(self) -> State:
        return State(self.silent, self.depth, tuple(self.lists), self.cell, self.link)

    def take(self, piece: Piece) -> None:
        if piece.kind == TEXT:
            self.write(piece.rest)
        elif piece.kind == OPEN:
            self.open(piece.name, piece.rest)
        else:
            self.close(piece.name)

    def write(self, text: str) -> None:
        """As it stands in the source."""
        if not self.silent:
            self.script.append(words(text))

    def open(self, name: str, rest: str) -> None:
        if self.silent:
            self.depth += name == self.silent
        elif hides(name, rest):
            self.silent = name
        elif name == "a":
            self.begin_link(attribute(rest, "href"))
        elif name == "img":
            self.script.append(_BLANKS.sub(" ", attribute(rest, "alt")))
        elif deed := _OPENING.get(name):
            deed(self)

    def close(self, name: str) -> None:
        if not self.silent:
            if deed := _CLOSING.get(name):
                deed(self)
        elif name == self.silent:
            if self.depth:
                self.depth -= 1
            else:
                self.silent = ""

    # what tags do -----------------------------------------------------------------------------------------------------

    def rule(self) -> None:
        self.end_paragraph()
        self.script.append("-" * 20)
        self.end_paragraph()

    def begin_list(self, first: int | None) -> None:
        self.end_list_line()
        self.lists.append(first)

    def end_list(self) -> None:
        if self.lists:
            self.lists.pop()
        self.end_list_line()

    def end_list_line(self) -> None:
        """A list within a list is no paragraph of its own."""
        if self.lists:
            self.end_line()
        else:
            self.end_paragraph()

    def begin_item(self) -> None:
        self.end_line()
        self.script.append(SHIFT * min(max(0, len(self.lists) - 1), DEEPEST) + self.bullet())

    def bullet(self) -> str:
        if not self.lists or self.lists[-1] is None:
            return "- "
        self.lists[-1] += 1
        return f"{self.lists[-1]}. "

    def begin_cell(self) -> None:
        if self.cell:
            self.script.append(" ")

    def end_cell(self) -> None:
        self.cell = True

    def begin_link(self, address: str) -> None:
        self.link = True
        self.addresses.append(address if address.isprintable() else _CONTROLS.sub("", address))
        self.script.append(LINK)

    def end_link(self) -> None:
        if self.link:
            self.link = False
            self.script.append(LINK_END)

    def end_line(self) -> None:
        self.cell = False
        self.script.append(LINE)

    def end_paragraph(self) -> None:
        self.cell = False
        self.script.append(PARAGRAPH)


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


def hides(name: str, rest: str) -> bool:
    """Whether nothing is shown from this opening tag to its end."""
    if name in _SILENT:
        return True
    if not rest or name in _EMPTY:
        return False
    small = rest.lower()
    may_hide = "style" in small and ("none" in small or "mso-hide" in small or "&#" in small)
    return may_hide and bool(_NOT_SHOWN.search(attribute(rest, "style")))


def words(text: str) -> str:
    """Of a text of the source, blanks of any width as one."""
    return _known_words(text) if len(text) < _LONGEST_KNOWN else _words(text)


def _words(text: str) -> str:
    if "&" in text:
        text = unescape(text)
    if not text.isprintable() or "\u034f" in text:  # of the blanks this one alone is printable
        text = _BLANKS.sub(" ", text)
    return text


_known_words = lru_cache(4_000)(_words)

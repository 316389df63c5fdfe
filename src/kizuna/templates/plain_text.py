"""The text part of a mail, from its HTML: links keep their address, blocks their lines. Linear in any input."""

from __future__ import annotations

import html
import re
from functools import lru_cache

from kizuna.templates.markup import OPEN, TEXT, pieces

_BLANKS = re.compile(r"[ \t\r\n\f\u00a0\u200b\u200c\u034f\ufeff]+")
_DOUBLE = re.compile(r"(?<=\S) {2,}")
_ATTRIBUTE = {
    name: re.compile(rf"(?:^|\s){name}\s{{0,9}}=\s{{0,9}}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
    for name in ("href", "alt", "style", "src")
}
_NOT_SHOWN = re.compile(r"display\s{0,9}:\s{0,9}none|mso-hide\s{0,9}:\s{0,9}all", re.IGNORECASE)
_LONGEST_KNOWN = 300  # characters of attributes that are looked through once for all mails
_SILENT = frozenset(("head", "script", "style", "template", "title", "noscript"))
_PARAGRAPHS = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre", "hr"))
_LINES = frozenset(("div", "tr", "li", "section", "article", "header", "footer", "center", "address", "dt", "dd"))
_PLAIN = frozenset(
    ("span", "strong", "b", "em", "i", "s", "u", "small", "font", "body", "tbody")
)  # they change no text
_EMPTY = frozenset(("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"))
DEEPEST = 8  # lists in lists that are set further in
_WORTH_SAYING = ("http://", "https://", "mailto:", "tel:")


def text_of(source: str) -> str:
    """The text of an HTML mail."""
    writer = _Writer()
    for kind, name, rest in pieces(source):
        if kind == TEXT:
            writer.write(rest)
        elif kind == OPEN:
            writer.open(name, rest)
        else:
            writer.close(name)
    return writer.whole()


class _Writer:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.silent: list[str] = []  # elements whose text is not shown, the innermost last
        self.depths: dict[str, int] = {}  # of elements of the same name within the silent one
        self.link: tuple[str, int, int] | None = None  # address, and where in the text its words begin
        self.lists: list[int | None] = []  # the number of the last item; None: no numbers
        self.cell = False

    def write(self, text: str) -> None:
        if self.silent:
            return
        if "&" in text:
            text = html.unescape(text)
        if not text.isprintable() or "  " in text or "\u034f" in text:  # of the blanks one alone is printable
            text = _BLANKS.sub(" ", text)
        if words := text if self.line else text.lstrip(" "):
            self.line.append(words)

    def open(self, name: str, rest: str) -> None:
        if self.silent:
            if name == self.silent[-1]:
                self.depths[name] = self.depths.get(name, 0) + 1
            return
        if name in _SILENT or (rest and name not in _EMPTY and _is_hidden(rest)):
            self.silent.append(name)
            return
        if name in _LINES and name != "li":
            self.end_line()
            return
        if name in _PLAIN:
            return
        match name:
            case "br":
                self.end_line()
            case "hr":
                self.end_line(1)
                self.line.append("-" * 20)
                self.end_line(1)
            case "img":
                if alt := attribute(rest, "alt"):
                    self.line.append(_BLANKS.sub(" ", alt))
            case "a":
                self.link = attribute(rest, "href"), len(self.lines), len(self.line)
            case "ul" | "ol":
                self.end_line(0 if self.lists else 1)
                self.lists.append(0 if name == "ol" else None)
            case "li":
                self.end_line()
                self.line.append("  " * min(max(0, len(self.lists) - 1), DEEPEST) + self.bullet())
            case "td" | "th":
                if self.cell and self.line and not self.line[-1].endswith(" "):
                    self.line.append(" ")
            case _:
                if name in _PARAGRAPHS:
                    self.end_line(1)

    def close(self, name: str) -> None:
        if self.silent:
            if name == self.silent[-1]:
                if self.depths.get(name, 0):
                    self.depths[name] -= 1
                else:
                    self.silent.pop()
            return
        if name in _PLAIN:
            return
        if name == "a" and self.link:
            self.end_link(*self.link)
            self.link = None
        elif name in ("ul", "ol"):
            if self.lists:
                self.lists.pop()
            self.end_line(0 if self.lists else 1)
        elif name in ("td", "th"):
            self.cell = True
        elif name in _PARAGRAPHS:
            self.end_line(1)
        elif name in _LINES:
            self.end_line()

    def bullet(self) -> str:
        if not self.lists or self.lists[-1] is None:
            return "- "
        self.lists[-1] += 1
        return f"{self.lists[-1]}. "

    def end_link(self, address: str, line: int, part: int) -> None:
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

    def whole(self) -> str:
        self.end_line()
        return "\n".join(self.lines).strip()


def attribute(rest: str, name: str) -> str:
    return _known_attribute(rest, name) if len(rest) < _LONGEST_KNOWN else _attribute(rest, name)


def _attribute(rest: str, name: str) -> str:
    found = _ATTRIBUTE[name].search(rest)
    return html.unescape(found[1] or found[2] or found[3] or "").strip() if found else ""


_known_attribute = lru_cache(4_000)(_attribute)


def _is_hidden(rest: str) -> bool:
    return "style" in rest.lower() and bool(_NOT_SHOWN.search(attribute(rest, "style")))

"""HTML cut into texts and tags where browsers cut it, in time linear in its length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from kizuna.core.entities import unescape

TEXT, OPEN, CLOSE = "text", "open", "close"

_OPENING = re.compile(r"<(?=[a-zA-Z/!?])")
# quotes count only after an equals sign, as in the standard; possessive, so that nothing is tried twice
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*+)((?>=\s*+(?:\"[^\"]*+\"|'[^']*+')|[^>])*+)>")
_COMMENT_END = re.compile(r"--!?>")
# what is between `<` and the next `>`, where that alone says that it is a whole tag: every quote in it is closed in it
_WHOLE_TAG = re.compile(r"(/?)([a-zA-Z][^\s/>]*+)((?>=\s*+(?:\"[^\"]*+\"|'[^']*+')|=(?!\s*+[\"'])|[^>=])*+)\Z")
_LONGEST_KNOWN, _MOST_KNOWN = 300, 4_000  # characters; tags, and attributes
_ATTRIBUTE = {
    name: re.compile(rf"(?:^|\s){name}\s{{0,9}}=\s{{0,9}}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
    for name in ("href", "alt", "style", "src")
}


class Piece(NamedTuple):
    kind: str
    name: str  # of a tag, in small letters
    rest: str  # a text, or what stands in the tag after its name


_known: dict[str, Piece] = {}  # most tags of a mail stand in every mail of its template


def pieces(source: str) -> Iterator[Piece]:
    """Comments are left out, also those that only Outlook reads; a tag that never ends is the end."""
    place = begin = 0  # a text not given out yet begins there
    while (opening := source.find("<", place)) >= 0:
        piece, end = piece_at(source, opening)
        if piece is not None and piece.kind == TEXT:
            place = end
            continue
        if opening > begin:
            yield Piece(TEXT, "", source[begin:opening])
        if piece is not None:
            yield piece
        place = begin = end
    if begin < len(source):
        yield Piece(TEXT, "", source[begin:])


def piece_at(source: str, opening: int) -> tuple[Piece | None, int]:
    """What begins with the `<` at this place, and where the next may begin. It is a tag; or text, up to the next `<`
    that begins something; or, as None, what is left out."""
    end = source.find(">", opening, opening + _LONGEST_KNOWN)
    if piece := whole_tag(source[opening + 1 : max(end, opening + 1)]):
        return piece, end + 1
    if not _OPENING.match(source, opening):
        found = _OPENING.search(source, opening + 1)
        end = found.start() if found else len(source)
        return Piece(TEXT, "", source[opening:end]), end
    if source.startswith("<!--", opening):
        ending = _COMMENT_END.search(source, opening + 2)
        return None, ending.end() if ending else len(source)
    if found := _TAG.match(source, opening):
        return _piece(found), found.end()
    if source[opening + 1].isalpha() or (source[opening + 1] == "/" and source[opening + 2 : opening + 3].isalpha()):
        return None, len(source)
    return None, source.find(">", opening) + 1 or len(source)  # <!doctype>, <?xml>, </>


def whole_tag(tag: str) -> Piece | None:
    """The tag that these characters between `<` and `>` are wherever they stand; None: it may end elsewhere, or is
    none."""
    return _known.get(tag) or _whole(tag)


def _whole(tag: str) -> Piece | None:
    found = _WHOLE_TAG.match(tag)
    if found is None:
        return None
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    piece = _known[tag] = _piece(found)
    return piece


def _piece(found: re.Match[str]) -> Piece:
    return Piece(CLOSE if found[1] else OPEN, found[2].lower(), found[3])


def attribute(rest: str, name: str) -> str:
    """Of a tag; empty: it has none."""
    return _known_attribute(rest, name) if len(rest) < _LONGEST_KNOWN else _attribute(rest, name)


def _attribute(rest: str, name: str) -> str:
    found = _ATTRIBUTE[name].search(rest)
    return unescape(found[1] or found[2] or found[3] or "").strip() if found else ""


_known_attribute = lru_cache(_MOST_KNOWN)(_attribute)

"""HTML cut into texts and tags where browsers cut it, in time linear in its length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

TEXT, OPEN, CLOSE = "text", "open", "close"

_OPENING = re.compile(r"<(?=[a-zA-Z/!?])")
# quotes count only after an equals sign, as in the standard; possessive, so that nothing is tried twice
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*+)((?>=\s*+(?:\"[^\"]*+\"|'[^']*+')|[^>])*+)>")
_COMMENT_END = re.compile(r"--!?>")
# what is between `<` and the next `>`, where that alone says that it is a whole tag: every quote in it is closed in it
_WHOLE_TAG = re.compile(r"(/?)([a-zA-Z][^\s/>]*+)((?>=\s*+(?:\"[^\"]*+\"|'[^']*+')|=(?!\s*+[\"'])|[^>=])*+)\Z")
_LONGEST_KNOWN, _MOST_KNOWN = 300, 4_000  # characters, tags


class Piece(NamedTuple):
    kind: str
    name: str  # of a tag, in small letters
    rest: str  # a text, or what stands in the tag after its name


_known: dict[str, Piece] = {}  # most tags of a mail stand in every mail of its template


def pieces(source: str) -> Iterator[Piece]:
    """Comments are left out, also those that only Outlook reads; a tag that never ends is the end."""
    place = begin = 0  # a text not given out yet begins there
    while (opening := source.find("<", place)) >= 0:
        end = source.find(">", opening, opening + _LONGEST_KNOWN)
        tag = source[opening + 1 : max(end, opening + 1)]
        piece = _known.get(tag) or _whole(tag)
        if piece is not None:
            if opening > begin:
                yield Piece(TEXT, "", source[begin:opening])
            yield piece
            place = begin = end + 1
            continue
        if not _OPENING.match(source, opening):
            found = _OPENING.search(source, opening + 1)
            place = found.start() if found else len(source)
            continue
        if opening > begin:
            yield Piece(TEXT, "", source[begin:opening])
        if source.startswith("<!--", opening):
            ending = _COMMENT_END.search(source, opening + 2)
            if ending is None:
                return
            place = begin = ending.end()
            continue
        if found := _TAG.match(source, opening):
            place = begin = found.end()
            yield _piece(found)
            continue
        if source[opening + 1].isalpha() or (
            source[opening + 1] == "/" and source[opening + 2 : opening + 3].isalpha()
        ):
            return
        place = begin = source.find(">", opening) + 1  # <!doctype>, <?xml>, </>
        if not place:
            return
    if begin < len(source):
        yield Piece(TEXT, "", source[begin:])


def _whole(tag: str) -> Piece | None:
    """The tag that these characters are wherever they stand; None: it may end elsewhere, or is none."""
    found = _WHOLE_TAG.match(tag)
    if found is None:
        return None
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    piece = _known[tag] = _piece(found)
    return piece


def _piece(found: re.Match[str]) -> Piece:
    return Piece(CLOSE if found[1] else OPEN, found[2].lower(), found[3])

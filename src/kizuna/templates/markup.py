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


class Piece(NamedTuple):
    kind: str
    name: str  # of a tag, in small letters
    rest: str  # a text, or what stands in the tag after its name


def pieces(source: str) -> Iterator[Piece]:
    """Comments are left out, also those that only Outlook reads; a tag that never ends is the end."""
    place = 0
    while found := _OPENING.search(source, place):
        opening = found.start()
        if opening > place:
            yield Piece(TEXT, "", source[place:opening])
        if source.startswith("<!--", opening):
            ending = _COMMENT_END.search(source, opening + 2)
            if ending is None:
                return
            place = ending.end()
            continue
        if tag := _TAG.match(source, opening):
            place = tag.end()
            yield Piece(CLOSE if tag[1] else OPEN, tag[2].lower(), tag[3])
            continue
        if source[opening + 1].isalpha() or (
            source[opening + 1] == "/" and source[opening + 2 : opening + 3].isalpha()
        ):
            return
        place = source.find(">", opening) + 1  # <!doctype>, <?xml>, </>
        if not place:
            return
    if place < len(source):
        yield Piece(TEXT, "", source[place:])

"""How deep HTML may be nested before a parser in native code is given it: theirs end the process when they overflow."""

from __future__ import annotations

import re
from collections import Counter

from kizuna.core.errors import Invalid
from kizuna.templates.markup import CLOSE, TEXT, pieces

DEEPEST = 100  # elements within each other; the parsers bear several hundred in a thread
DEEPEST_BLOCKS = 40  # MJML's own, which take more of the stack
MOST_FORMATTING = 16  # <b>, <font> ... open at a time: browsers open them again in each block that follows
MOST_ELEMENTS = 20_000
LONGEST_TAG = 5_000  # characters outside of quotes

_QUOTED = re.compile(r"\"[^\"]*+\"|'[^']*+'")

_VOID = frozenset({
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "image", "img", "input", "keygen",
    "link", "meta", "param", "source", "track", "wbr", "path", "rect", "circle", "line", "polygon", "polyline",
    "ellipse", "use", "stop",
})  # fmt: skip
_ENDED_BY_NEXT = frozenset({"p", "li", "td", "th", "tr", "dt", "dd", "option", "thead", "tbody", "tfoot", "colgroup"})
_FORMATTING = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
)
_RAW = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "noscript"})


def check_nesting(source: str, *, is_mjml: bool = False) -> int:
    """How many elements there are; raises `Invalid` when they may be too deep. Counts rather too many than too few."""
    if "<![cdata[" in source.lower():
        raise Invalid("CDATA has no place here", code="template_error")
    opened: Counter[str] = Counter()
    depth = formatting = blocks = elements = 0
    raw = ""
    for kind, name, rest in pieces(source):
        if kind == TEXT:
            continue
        elements += 1
        if len(rest) > LONGEST_TAG and len(_QUOTED.sub("", rest)) > LONGEST_TAG:
            raise Invalid("an element has too many attributes", code="template_limit")
        if kind == CLOSE:
            if raw and name != raw:
                continue  # a text, which may well lie
            raw = ""
            if opened[name]:
                opened[name] -= 1
                depth -= 1
                formatting -= name in _FORMATTING
                blocks -= name.startswith("mj-")
            continue
        if name in _VOID or (not is_mjml and name in _ENDED_BY_NEXT):
            continue
        opened[name] += 1
        depth += 1
        formatting += name in _FORMATTING
        blocks += name.startswith("mj-")
        if name in _RAW and not raw:
            raw = name
        if depth > DEEPEST or blocks > DEEPEST_BLOCKS or formatting > MOST_FORMATTING or elements > MOST_ELEMENTS:
            raise Invalid("the elements are too many, too deep or not closed", code="template_limit")
    return elements

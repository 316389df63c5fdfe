"""From words with marks between them to the lines of a text. No word holds a mark: each is a blank or a control."""

from __future__ import annotations

import re
from collections.abc import Sequence

LINE, PARAGRAPH = "\n", "\f"  # ends of a line, and of one that an empty line follows
SHIFT = "\x0f"  # the line stands further in
LINK, LINK_END = "\x02", "\x03"
STEP = "  "  # of what stands further in

_MARKS = re.compile(f"[{LINE}{PARAGRAPH}{SHIFT}]")
_ENDS = re.compile(f" *[{LINE}{PARAGRAPH}][ {LINE}{PARAGRAPH}]*")
_WORTH_SAYING = ("http://", "https://", "mailto:", "tel:")


def typeset(script: str, addresses: Sequence[str]) -> str:
    """No line ends in blanks or is nothing but blanks; of empty lines one is left, and none at either end.

    `addresses` are those of the links, in the order in which they begin.
    """
    if addresses:
        first, *linked = script.split(LINK)
        script = first + "".join(map(_with_address, linked, addresses))
    while "  " in script:
        script = script.replace("  ", " ")
    script = script.replace(f"{LINE} ", LINE).replace(f"{PARAGRAPH} ", PARAGRAPH)
    paragraphs = [LINE.join(filter(None, map(str.rstrip, each.split(LINE)))) for each in script.split(PARAGRAPH)]
    return "\n\n".join(filter(None, paragraphs)).replace(SHIFT, STEP).strip()


def _with_address(text: str, address: str) -> str:
    """A link, and what follows it: it says where it leads, unless its words do."""
    said, ending, rest = text.partition(LINK_END)
    if not ending or not address.lower().startswith(_WORTH_SAYING):
        return said + rest
    shown = address.removeprefix("mailto:").removeprefix("tel:")
    words = _MARKS.sub("", said).strip()
    if not words:
        return f"{said} {shown}{rest}"
    is_address = words in address and (
        words in (address, shown, address.rstrip("/"), address.partition("://")[2].rstrip("/"))
    )
    return said + rest if is_address else f"{said} ({shown}){rest}"


def tidied(script: str) -> str:
    """The same for `typeset`, with fewer marks."""
    return _ENDS.sub(lambda found: PARAGRAPH if PARAGRAPH in found[0] else LINE, script)

"""Looks at a template's source before the parser does: its expressions are quadratic in some shapes of nonsense."""

from __future__ import annotations

import re

from kizuna.core.errors import Invalid

LONGEST_SOURCE = 512 * 1024
LONGEST_BLANKS = 100  # within one tag
SCANS = 60_000_000  # characters the parser may look at in vain

_OPEN = re.compile(r"\{[{%]")
_VERBATIM = re.compile(r"\{%-?\s{0,100}(raw|doc)\s{0,100}-?%\}")
_DOC = re.compile(r"\{%-?\s{0,100}doc\b")
_COMMENT = re.compile(r"-?\s{0,100}(end)?comment\b")
_END = {name: re.compile(rf"\{{%-?\s{{0,100}}end{name}\s{{0,100}}-?%\}}") for name in ("raw", "doc")}
_BLANKS = re.compile(r"\s+")
_RESCANNED = re.compile(r"[(\[\"']")  # each makes the parser look ahead


def check_source(source: str) -> None:
    """Raises `Invalid` for a source that is too long, or that only stalls the parser."""
    if len(source) > LONGEST_SOURCE:
        raise Invalid(f"the template is longer than {LONGEST_SOURCE // 1024} kB", code="template_limit")
    if "\x00" in source:
        raise Invalid("the template holds a NUL character; remove it", code="template_error")
    place = scans = comments = 0
    while opening := _OPEN.search(source, place):
        start = opening.start()
        place = _after_verbatim(source, start)
        if place:
            continue
        closing = source.find("}}" if opening[0] == "{{" else "%}", start + 2)
        if closing < 0:
            raise Invalid(f"{opening[0]} at character {start} is never closed", code="template_error")
        inner = source[start + 2 : closing]
        scans += _check_tag(inner)
        if scans > SCANS:
            raise Invalid("the template's tags are too long to be read", code="template_limit")
        if opening[0] == "{%" and (comment := _COMMENT.match(inner)):
            comments = max(0, comments + (-1 if comment[1] else 1))
        place = closing + 2
    if comments:
        raise Invalid("a comment is never closed", code="template_error")


def _after_verbatim(source: str, start: int) -> int:
    """The place after a raw or doc block that begins here, else 0."""
    verbatim = _VERBATIM.match(source, start)
    if not verbatim:
        return 0
    end = _END[verbatim[1]].search(source, verbatim.end())
    if end and verbatim[1] == "doc" and _DOC.search(source, verbatim.end(), end.start()):
        raise Invalid(f"doc at character {start} holds another one", code="template_error")
    if not end:
        raise Invalid(f"{verbatim[1]} at character {start} is never closed", code="template_error")
    return end.end()


def _check_tag(inner: str) -> int:
    """How many characters the parser may look at for this tag."""
    if any(len(blanks[0]) > LONGEST_BLANKS for blanks in _BLANKS.finditer(inner)):
        raise Invalid(f"more than {LONGEST_BLANKS} blanks in a row within a tag", code="template_error")
    return len(inner) * (1 + len(_RESCANNED.findall(inner)))

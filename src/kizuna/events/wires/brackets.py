"""Finds the elements of a JSON array by brackets alone, so that one unreadable event does not cost its neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from kizuna.core.errors import Invalid

MOST_MARKS = 1_500_000  # brackets of one array; looking at more would hold everybody else up
MOST_TRIES = 3  # places that look like the batch

_TEXT = rb'"(?:[^"\\]++|\\.)*+"'
_BETWEEN = re.compile(rb'(?:[^"{}\[\],]++|' + _TEXT + rb")*+([{\[]++|[}\]]++|,)", re.DOTALL)
_INSIDE = re.compile(rb'(?:[^"{}\[\]]++|' + _TEXT + rb")*+([{\[]++|[}\]]++)", re.DOTALL)
_BATCH = re.compile(rb'"batch"\s*:\s*\[')


def batches(text: bytes) -> Iterator[tuple[list[bytes], bytes]]:
    """What may be the `batch` of a request: its raw elements, and the request with that array empty."""
    for match in islice(_BATCH.finditer(text), MOST_TRIES):
        found = array_elements(text, match.end())
        if found is not None:
            elements, end = found
            yield elements, text[: match.end()] + text[end:]


def array_elements(text: bytes, start: int) -> tuple[list[bytes], int] | None:
    """The raw elements of the array that begins at `start`, after its `[`, and where its `]` is; None without one."""
    elements: list[bytes] = []
    depth, begin, position = 0, start, start
    for _ in range(MOST_MARKS):
        match = (_INSIDE if depth else _BETWEEN).match(text, position)
        if match is None:
            return None
        marks, position = match[1], match.end()
        if marks == b",":
            _keep(elements, text[begin : match.start(1)])
            begin = position
        elif marks[0] in b"{[":
            depth += len(marks)
        elif len(marks) > depth:
            end = match.start(1) + depth
            _keep(elements, text[begin:end])
            return elements, end
        else:
            depth -= len(marks)
    raise Invalid("the body is not JSON, and has too many parts to be told apart", code="invalid_json")


def _keep(elements: list[bytes], raw: bytes) -> None:
    raw = raw.strip()
    if raw:
        elements.append(raw)

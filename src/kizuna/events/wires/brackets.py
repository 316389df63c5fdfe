"""Finds the elements of a JSON array by brackets alone, so that one unreadable event does not cost its neighbours."""

from __future__ import annotations

import re

_MARK = re.compile(rb'["\\{}\[\],]')
_BATCH = re.compile(rb'"batch"\s*:\s*\[')


def array_elements(text: bytes, start: int) -> list[bytes]:
    """The raw elements of the array whose first byte after `[` is at `start`; linear in the text."""
    elements: list[bytes] = []
    depth, begin, position = 0, start, start
    in_text = False
    while True:
        match = _MARK.search(text, position)
        if match is None:
            return elements
        mark, position = match[0], match.end()
        if mark == b"\\":
            position += 1
        elif mark == b'"':
            in_text = not in_text
        elif in_text:
            continue
        elif mark in b"{[":
            depth += 1
        elif mark in b"}]":
            if depth == 0:
                return _with(elements, text[begin : match.start()])
            depth -= 1
        elif depth == 0:
            elements = _with(elements, text[begin : match.start()])
            begin = position


def batch_elements(text: bytes) -> list[bytes] | None:
    """The raw elements of the `batch` of a request, or None when there is none."""
    match = _BATCH.search(text)
    return array_elements(text, match.end()) if match else None


def _with(elements: list[bytes], raw: bytes) -> list[bytes]:
    raw = raw.strip()
    if raw:
        elements.append(raw)
    return elements

"""Wire formats: every file decodes one protocol into items; adding one is adding a file and its test."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from kizuna.engine.moment import Item

MOST_KEPT = 1 << 20  # bytes of a refused item: enough to take it again when a limit was raised


class Refused(Struct, frozen=True):
    """One item we could not take: its place in the request, why, and as it came."""

    index: int
    code: str
    message: str
    body: bytes


class Decoded(Struct):
    """A request's items and refusals. `write_keys` are those named inside the body."""

    items: list[Item]
    refused: list[Refused]
    write_keys: set[str]


def problem(index: int, code: str, message: str, body: bytes | Any) -> Refused:
    return Refused(index, code, message, bytes(body)[:MOST_KEPT])

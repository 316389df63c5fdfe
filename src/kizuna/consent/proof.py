"""Rows that prove consent: who said what, when, how, and upon which text. They are written once and never changed."""

from __future__ import annotations

from msgspec import Struct

PREFIX = "cns"  # of their outer ids


class KeepProof(Struct, frozen=True, kw_only=True):
    """One act of consent. Instants are microseconds in UTC."""

    id: bytes
    profile: bytes
    channel: str
    topic: str
    state: str
    source: str
    proof: str | None  # JSON
    basis: str
    at: int  # when it was said
    known_at: int  # when we learned of it
    until: int | None
    item: str  # of the log

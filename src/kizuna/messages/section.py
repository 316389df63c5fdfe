"""The messages section of a record: what counts against its caps, and what is held back."""

from __future__ import annotations

from msgspec import Struct, field

from kizuna.engine.slice import Section


class Grant(Struct, array_like=True, gc=False):
    """A message that counts against caps from `at` on, the instant at which it may go."""

    message: bytes
    at: int
    channel: str
    topic: str | None


class Held(Struct, array_like=True, gc=False):
    """A message that waits for room under its caps, at most until `until`."""

    message: bytes
    channel: str
    topic: str | None
    until: int
    expires_at: int
    run: str | None
    holdout: bool  # tracked as if sent: it waits like the others, and is not sent
    said: bytes  # JSON: the properties of its facts


class Answered(Struct, array_like=True, gc=False, frozen=True):
    """A word such as STOP that was answered. `opted_in` is the arrival of the yes that ruled before; -1: none did."""

    keyword: str
    at: int
    opted_in: int


class Messages(Section):
    """Each message is a row of its own; here is only what the policy counts, and which words were answered. Without
    either it stays empty."""

    grants: list[Grant] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)  # first come, first served
    answered: list[Answered] = field(default_factory=list)

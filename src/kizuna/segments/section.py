"""The segments section of a record: what it is a member of, and what its leaves keep."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from kizuna.engine.slice import Section

NEVER = -1


class Segments(Section):
    """`filled` is the program up to which the leaves know all history; a record is born knowing all of it."""

    seen: int = NEVER  # the program it was last folded with
    filled: int = NEVER
    owed: dict[bytes, list[int]] = field(default_factory=dict)  # of joined records: `filled`, and how far it must come
    member_of: dict[str, int] = field(default_factory=dict)  # segment to the instant of entering
    leaves: dict[str, Any] = field(default_factory=dict)  # leaf id to state
    listed: dict[str, list[bytes]] = field(default_factory=dict)  # uploaded list to the entries that are this customer

    @property
    def complete(self) -> int:
        """The program up to which every leaf knows all history."""
        return min(self.filled, *(filled for filled, _ in self.owed.values())) if self.owed else self.filled

    @property
    def is_born(self) -> bool:
        """Whether anything was folded here."""
        return self.seen != NEVER


class MembershipChanged(Struct, frozen=True):
    """A row of `membership` to be written or removed."""

    profile: bytes
    segment: str
    entered: bool
    at: int

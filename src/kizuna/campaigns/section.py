"""The campaigns section of a record: what is to be said at a local time, and goals that may still be met."""

from __future__ import annotations

from msgspec import Struct, field

from kizuna.core.clock import DAY
from kizuna.engine.slice import Section

LATE = 3 * DAY  # how long after its end a goal's window still takes events that arrive late
KEPT = 256  # goals watched at once, the newest


class Waiting(Struct, array_like=True, gc=False, frozen=True):
    """A launch that is said at `due_at`, the campaign's local time in the profile's zone."""

    campaign: str
    version: int
    launch: str
    due_at: int


class Watched(Struct, array_like=True, gc=False, frozen=True):
    """A message (held out or not) whose goal may be met from `since` up to and including `until`."""

    campaign: str
    version: int
    message: bytes
    since: int
    until: int


class Campaigns(Section):
    """The ledger of messages has the rest."""

    waiting: list[Waiting] = field(default_factory=list)
    watched: list[Watched] = field(default_factory=list)


class Converted(Struct, frozen=True):
    """A row to be written: the goal was met by whom this message was for."""

    message: bytes
    campaign: str
    at: int
    value: str | None  # an exact decimal

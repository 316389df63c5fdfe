"""A batch of letters, and when one closes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any

from msgspec import Struct

from kizuna.core import clock
from kizuna.providers.letters import MOST_IN_BATCH, Settings

PART = 500  # letters in one PDF: what is held in memory at a time


class Waiting(Struct, frozen=True):
    """A letter in the tray."""

    message: bytes
    handed_at: int


class Batch(Struct, frozen=True):
    """A closed one; fields in the order in which `store` reads them."""

    number: int
    provider: str
    settings: dict[str, Any]
    letters: int
    closed_at: int
    posted_at: int | None
    returned: int = 0  # letters that the post brought back
    redeemed: int = 0  # codes that were shown

    @property
    def state(self) -> str:
        return "closed" if self.posted_at is None else "posted"

    @property
    def parts(self) -> int:
        return -(-self.letters // PART)


class Cut(Struct, frozen=True):
    """Letters that go together, and since when nothing more is added to them."""

    messages: list[bytes]
    closed_at: int


def cut(waiting: Iterable[Waiting], settings: Settings, zone: str, now: int, *, by_hand: bool) -> list[Cut]:
    """The batches that are full or whose time has come, oldest first; `by_hand` also what is left. `waiting` stands in
    the order in which it came."""
    most = settings.close_count or MOST_IN_BATCH
    cuts: list[Cut] = []
    gathered: list[bytes] = []
    closes_at = 0
    for each in waiting:
        if gathered and each.handed_at >= closes_at:
            cuts.append(Cut(gathered, closes_at))
            gathered = []
        if not gathered:
            closes_at = _closes_at(settings.close_at, each.handed_at, zone)
        gathered.append(each.message)
        if len(gathered) >= most:
            cuts.append(Cut(gathered, each.handed_at))
            gathered = []
    if gathered and (by_hand or closes_at <= now):
        cuts.append(Cut(gathered, min(closes_at, now)))
    return cuts


def _closes_at(daily: str, handed_at: int, zone: str) -> int:
    """The first such local time after an instant; without one, at no time."""
    if not daily:
        return clock.LAST_INSTANT
    at = time.fromisoformat(daily)
    today = clock.to_local(handed_at, zone).date()
    for later in range(3):
        closes_at = clock.from_local(datetime.combine(today + timedelta(days=later), at), zone)
        if closes_at > handed_at:
            return closes_at
    raise AssertionError("a day has come to no end")

"""One feed, told piece by piece: what is to come is read, its bounds are kept, it is handed over, and so noted.

Killed at any instant, a piece that was not noted is handed over again with the same bounds, number and ids.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from typing import Any

import structlog
from msgspec import Struct
from psycopg import Connection

from kizuna.core.clock import SECOND
from kizuna.feeds import Later, Piece, Place, Target, store
from kizuna.feeds.entry import Choice, Entry, entries_of
from kizuna.feeds.feed import Feed
from kizuna.runtime import log_reader

AT_ONCE = 500  # entries of a feed that does not gather
PIECE_BYTES = 8 << 20
FOLDING_SECONDS = 0.02  # while rows wait to be folded

# Seconds after a failure, the second, and so on; ten tries in a day, then the feed is parked.
WAITS = (2, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 43_200)

log = structlog.get_logger()


class Route(Struct, frozen=True):
    """A feed as it is published, ready to be told."""

    feed: Feed
    target: Target
    settings: Any
    place: Place

    @property
    def items(self) -> int:
        return self.feed.pieces.items if self.target.gathers else AT_ONCE


class Follower:
    """Holds what one thread knows of its feed between turns."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.choice = Choice.of(route.feed.events)
        self.done: set[str] = set()  # of the piece under way

    def turn(self, connection: Connection[Any]) -> float | None:
        """One piece at most; how many seconds to wait before the next turn, None: until there is something new."""
        place = self.route.place
        known = store.state(connection, place.workspace, place.name)
        if known is None or known.state != "on":
            return None
        rests = known.next_at - _now()
        if rests > 0:
            return rests / SECOND
        if known.until is None:
            return self._begin(connection, known)
        entries = list(
            entries_of(log_reader.rows(connection, place.workspace, known.offsets, known.until), self.choice)
        )
        return self._carry(connection, known, entries)

    def _begin(self, connection: Connection[Any], known: store.State) -> float | None:
        """Settle where the next piece ends."""
        workspace, name = self.route.place.workspace, self.route.place.name
        folded, is_behind = store.heads(connection, workspace)
        nothing = FOLDING_SECONDS if is_behind else None
        since = {partition: known.offsets.get(partition, 0) for partition in folded}
        ahead = {partition: offset for partition, offset in folded.items() if offset > since[partition]}
        if not ahead:
            return nothing
        if (rests := self._gathers_until(connection, known, since, ahead) - _now()) > 0:
            return rests / SECOND
        reach = log_reader.read(connection, workspace, since, ahead, self.route.items, PIECE_BYTES)
        if not reach.offsets:
            return nothing
        under = store.intend(connection, workspace, name, known, reach.offsets)
        if under is None:
            return 0.0  # rewound, or told by another, this very moment: look again
        self.done.clear()
        return self._carry(connection, under, list(entries_of(reach.rows, self.choice)))

    def _gathers_until(
        self, connection: Connection[Any], known: store.State, since: Mapping[int, int], ahead: Mapping[int, int]
    ) -> int:
        """Before that instant a piece is made only when it is full."""
        if not self.route.target.gathers or known.told_at is None:
            return 0
        due_at = known.told_at + self.route.feed.every
        is_full = store.count_items(connection, self.route.place.workspace, since, ahead) >= self.route.items
        return 0 if is_full else due_at

    def _carry(self, connection: Connection[Any], under: store.State, entries: list[Entry]) -> float:
        place = self.route.place
        if not entries:
            store.pass_over(connection, place.workspace, place.name, under)
            return 0.0
        piece = Piece(under.pieces + 1, entries)
        match self.route.target.carry(piece, self.route.settings, place, self.done):
            case Later() as later:
                return self._rest(connection, under, later)
            case taken:
                store.told(connection, place.workspace, place.name, under, len(entries), _now(), taken.refused)
                return 0.0

    def _rest(self, connection: Connection[Any], under: store.State, later: Later) -> float:
        place, is_last = self.route.place, later.is_final or under.tries >= len(WAITS)
        wait = wait_after(under.tries, later.after, spread=random.random())  # noqa: S311
        store.failed(
            connection, place.workspace, place.name, under, _now() + int(wait * SECOND), later.reason, is_last=is_last
        )
        log.warning("feed_fails", feed=place.name, reason=later.reason, rests=round(wait, 1), parked=is_last)
        return wait


def wait_after(tries: int, asked: int | None, *, spread: float) -> float:
    """Seconds until the next try, after so many that failed before this one. `spread`, 0 to 1, parts those who fail
    together; what the other side asks for is obeyed."""
    longest = WAITS[min(tries, len(WAITS) - 1)]
    return max(longest * (0.5 + spread / 2), float(asked or 0))


def _now() -> int:
    return time.time_ns() // 1000

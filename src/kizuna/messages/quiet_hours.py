"""Quiet hours: a half-open local window of every day, in the profile's zone. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache

from msgspec import Struct

from kizuna.core import clock, ids

HOLD, SKIP = "hold", "skip"
JITTER = 10 * clock.MINUTE  # so that not all who waited are written to in one second


class QuietHours(Struct, frozen=True):
    """`[start, end)`; an end before the start is on the next day. Each end resolves at its own date, by RFC 5545."""

    start: time
    end: time
    then: str = HOLD

    def over_at(self, instant: int, zone: str) -> int:
        """When the window that `instant` lies in is over; 0 outside of it."""
        today = clock.to_local(instant, zone).date()
        # Two days back: a window of the 29th lasts until the 31st where there was no 30th (Apia, 2011).
        for back in (0, 1, 2):
            begins, over = _window(self.start, self.end, today - timedelta(days=back), zone)
            if begins <= instant < over:
                return over
        return 0

    def due_at(self, instant: int, zone: str, message: bytes, expires_at: int, *, spread: bool) -> int:
        """When a message asked for at `instant` may go; with `spread` up to ten minutes after the window, by hash."""
        over = self.over_at(instant, zone)
        if not over or not spread:
            return over or instant
        late = over + ids.bucket("quiet", message) * JITTER // 10_000
        return over if late > expires_at or self.over_at(late, zone) else late


@lru_cache(16_384)  # all who live in a zone ask about the same few days
def _window(start: time, end: time, day: date, zone: str) -> tuple[int, int]:
    """The window that begins on a date, as instants."""
    until = day if start < end else day + timedelta(days=1)
    begins, over = datetime.combine(day, start), datetime.combine(until, end)
    return clock.from_local(begins, zone), clock.from_local(over, zone)

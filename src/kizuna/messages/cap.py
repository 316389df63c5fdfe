"""A frequency cap: at most so many messages in any window of a length, exactly. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from msgspec import Struct

from kizuna.core import calendar, clock
from kizuna.core.clock import Duration

SLIDING, CALENDAR = "sliding", "calendar"
SKIP, HOLD, NEXT_CHANNEL = "skip", "hold", "next_channel"

DAY = "d"
PERIODS = {"1d": DAY, "1w": "w", "7d": "w", "1mo": "mo", "1y": "y"}


class Cap(Struct, frozen=True, kw_only=True):
    """At most `max` messages of a channel (of a topic of it) in `per`; instants are microseconds in UTC."""

    channel: str | None  # None: all channels together
    topic: str | None
    max: int
    per: Duration
    period: str | None  # the calendar's unit; None slides
    then: str  # skip, hold, next_channel
    hold_for: Duration

    def counts(self, channel: str, topic: str | None) -> bool:
        return (self.channel is None or self.channel == channel) and (self.topic is None or self.topic == topic)

    def is_full(self, times: Sequence[int], at: int, zone: str) -> bool:
        """Whether one more at `at` would be one too many; `times` are those granted, in any order, later ones too."""
        if len(times) < self.max:
            return False
        if self.period:
            start = calendar.begin(at, self.period, zone)
            return sum(calendar.begin(each, self.period, zone) == start for each in times) >= self.max
        ordered = sorted(times)
        place = bisect_right(ordered, at)
        ordered.insert(place, at)
        first, last = max(0, place - self.max), min(place, len(ordered) - 1 - self.max)
        return any(clock.after(ordered[i], self.per, zone) > ordered[i + self.max] for i in range(first, last + 1))

    def frees_at(self, times: Sequence[int], at: int, zone: str) -> int:
        """The first instant from `at` on at which there is room for one more."""
        if not self.is_full(times, at, zone):
            return at
        ends = {self.ends(each, zone) for each in times}
        return next(end for end in sorted(ends) if end > at and not self.is_full(times, end, zone))

    def ends(self, at: int, zone: str) -> int:
        """When what was granted at `at` no longer counts."""
        return ends_at(self.period, at, zone) if self.period else clock.after(at, self.per, zone)


def ends_at(unit: str, at: int, zone: str) -> int:
    """The instant at which the calendar's unit of `at` is over: the next one's local midnight."""
    return calendar.midnight(calendar.later(calendar.begin(at, unit, zone), 1, unit), zone)

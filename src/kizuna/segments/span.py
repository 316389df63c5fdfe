"""A window as leaves use it: which event times lie in it now, and when one of them leaves."""

from __future__ import annotations

from msgspec import Struct

from kizuna.core import clock
from kizuna.core.clock import DAY, LAST_INSTANT, Duration
from kizuna.segments.rule import Window

CLIPPED = 5 * DAY  # by so much at most an older time may leave later: months end on different days, zones differ
FARTHEST_ZONES = ("Etc/GMT-14", "Etc/GMT+12")  # where a local day begins first and last


class Span(Struct, frozen=True):
    """Ever (`low` to `high` hold all), fixed, or moving. A fixed one without offsets lies by the profile's zone."""

    low: int = -LAST_INSTANT  # the first instant that may lie in it
    high: int = LAST_INSTANT  # the first that no longer may
    length: Duration | None = None
    local: tuple[str, str] | None = None

    @property
    def is_moving(self) -> bool:
        return self.length is not None

    @property
    def is_zoned(self) -> bool:
        """Whether the profile's zone decides: then what lies near the edges is kept, for zones change."""
        return self.local is not None or bool(self.length and self.length.months)

    def admits(self, timestamp: int, now: int, zone: str) -> bool:
        """Whether an event can count now or later, in any zone."""
        if self.length is None:
            return self.low <= timestamp < self.high
        if self.length.months:
            return clock.after(timestamp, self.length, zone) > now - CLIPPED
        return timestamp > now - self.length.exact

    def holds(self, timestamp: int, now: int, zone: str) -> bool:
        if self.length is not None:
            return clock.after(timestamp, self.length, zone) > now
        if self.local is None:
            return self.low <= timestamp < self.high
        low, high = bounds(self.local, zone)
        return low <= timestamp < high

    def leaves(self, timestamp: int, zone: str) -> int:
        """The instant at which an event falls out of the window; 0 is never."""
        return clock.after(timestamp, self.length, zone) if self.length is not None else 0


def span_of(window: Window) -> Span:
    if window.within is not None:
        return Span(length=window.within)
    if window.between is None:
        return Span()
    first, last = (bounds(window.between, zone) for zone in FARTHEST_ZONES)
    local = window.between if first != last else None
    return Span(low=min(first[0], last[0]), high=max(first[1], last[1]), local=local)


def bounds(between: tuple[str, str], zone: str) -> tuple[int, int]:
    """The instants of a fixed window; a time without an offset is the profile's local time."""
    low, high = clock.read_time(between[0], zone), clock.read_time(between[1], zone)
    return low or 0, high or 0

"""Wall-clock rules: the same time tomorrow, the next Monday at nine. Gaps and overlaps by RFC 5545 (core/clock.py)."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from kizuna.core import clock
from kizuna.core.errors import Invalid

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?\Z")


def time_of_day(text: object) -> time:
    """`09:00` or `09:00:30`; raises `Invalid`."""
    match = _TIME.match(text) if isinstance(text, str) else None
    if not match:
        raise Invalid(f"{text!r} is no time of day: write it like 09:00", code="invalid_time")
    return time(int(match[1]), int(match[2]), int(match[3] or 0))


def days_later(instant: int, days: int, zone: str) -> int:
    """The same local time `days` days on; a day that does not exist gives what follows it."""
    return clock.from_local(clock.to_local(instant, zone) + timedelta(days=days), zone)


def next_at(
    instant: int, zone: str, at: time, weekdays: frozenset[int] = frozenset(range(7)), *, strictly: bool = False
) -> int:
    """The first instant not before `instant` (after it, when `strictly`) that reads `at` on one of `weekdays`."""
    today = clock.to_local(instant, zone).date()
    # Yesterday too: in a gap across midnight its last minutes fall on today. 15 days: a zone may skip a weekday once.
    for offset in range(-1, 16):
        day = today + timedelta(days=offset)
        if day.weekday() not in weekdays or not day_exists(day, zone):
            continue
        found = clock.from_local(datetime.combine(day, at), zone)
        if found > instant or (found == instant and not strictly):
            return found
    raise AssertionError("every weekday returns within 15 days")


def day_exists(day: date, zone: str) -> bool:
    """Whether `zone` has this date at all: Apia had no 2011-12-30."""
    noon = datetime.combine(day, time(12))
    return clock.to_local(clock.from_local(noon, zone), zone).date() == day

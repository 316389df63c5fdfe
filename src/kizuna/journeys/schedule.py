"""Cron and anniversaries: local occurrences as instants. Gaps and overlaps by RFC 5545; a skipped day has none."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache

from msgspec import Struct

from kizuna.core import clock
from kizuna.core.clock import DAY, SECOND
from kizuna.core.errors import Invalid
from kizuna.core.local_time import day_exists

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
CRON_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")  # 0..6; 7 is Sunday too

_EVERY_DAY = frozenset(range(1, 32))
_EVERY_WEEKDAY = frozenset(range(7))
_DAY = timedelta(days=1)
_HORIZON = 9 * 366  # days ahead: 29 February comes back after eight years at the latest


class Occurrence(Struct, frozen=True):
    """`slot` names the local time that occurs, in seconds since year 1; two may fall on one instant in a gap."""

    instant: int
    slot: int


class Calendar(Struct, frozen=True, eq=False):
    """On which local days something occurs, and at which times of day."""

    times: tuple[int, ...]  # seconds after local midnight, ascending
    months: frozenset[int] = frozenset(range(1, 13))
    days: frozenset[int] = _EVERY_DAY
    weekdays: frozenset[int] = _EVERY_WEEKDAY  # Monday is 0
    either: bool = False  # a day of the month or a weekday, as cron has it when both are named
    clips: bool = False  # 29 February counts on the 28th in common years

    def days_from(self, day: date) -> Iterator[date]:
        """Those on which it may occur, from `day` on, as far as it is worth looking."""
        last = date.fromordinal(min(day.toordinal() + _HORIZON, date.max.toordinal() - 32))
        while day <= last:
            if day.month not in self.months:
                day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
                continue
            if self.has(day):
                yield day
            day += _DAY

    def has(self, day: date) -> bool:
        of_month = day.day in self.days or (self.clips and _stands_for_leap_day(day) and 29 in self.days)
        of_week = day.weekday() in self.weekdays
        return of_month or of_week if self.either else of_month and of_week


def _stands_for_leap_day(day: date) -> bool:
    return (day.month, day.day) == (2, 28) and (day + _DAY).month == 3


@lru_cache(1024)
def cron(text: str) -> Calendar:
    """Minute, hour, day of month, month, weekday: lists, ranges, steps and names. Raises `Invalid`.

    When both a day of the month and a weekday are named, either is enough, as in every cron.
    """
    fields = text.lower().split()
    if len(fields) != 5:
        raise _invalid(f"{text!r} has {len(fields)} fields; write five: minute hour day month weekday")
    minutes = _field(fields[0], 0, 59)
    hours = _field(fields[1], 0, 23)
    months = _field(fields[3], 1, 12, MONTHS)
    named = {(day - 1) % 7 for day in _field(fields[4], 0, 7, CRON_DAYS)}
    found = Calendar(
        times=tuple(3600 * hour + 60 * minute for hour in sorted(hours) for minute in sorted(minutes)),
        months=frozenset(months),
        days=frozenset(_field(fields[2], 1, 31)),
        weekdays=frozenset(named),
        either=not fields[2].startswith("*") and not fields[4].startswith("*"),
    )
    if next(found.days_from(date(2000, 1, 1)), None) is None:
        raise _invalid(f"{text!r} names a day that never comes")
    return found


def _field(text: str, low: int, high: int, names: tuple[str, ...] = ()) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, has_step, step = part.partition("/")
        first, is_range, last = span.partition("-")
        if span == "*":
            start, end = low, high
        else:
            start = _number(first, low, high, names, part)
            end = _number(last, low, high, names, part) if is_range else start
            if is_range and names == CRON_DAYS and end == 0:
                end = 7  # fri-sun
            if end < start or (has_step and not is_range):
                raise _invalid(f"{part!r} is no range; write it like 9-17 or */15")
        if has_step and not (step.isascii() and step.isdigit() and 0 < int(step[:4]) <= high + 1):
            raise _invalid(f"{part!r} has no step between 1 and {high + 1}")
        found.update(range(start, end + 1, int(step) if has_step else 1))
    return found


def _number(text: str, low: int, high: int, names: tuple[str, ...], part: str) -> int:
    if text in names:
        return names.index(text) + (names[0] == MONTHS[0])
    if text.isascii() and text.isdigit() and len(text) <= 2 and low <= int(text) <= high:
        return int(text)
    known = f" or {', '.join(names)}" if names else ""
    raise _invalid(f"{part!r} does not fit: numbers from {low} to {high}{known}")


def _invalid(message: str) -> Invalid:
    return Invalid(message, code="invalid_schedule")


@lru_cache(16_384)
def yearly(month: int, day: int, at: int) -> Calendar:
    """Every year on that day, `at` seconds after midnight; what was on 29 February comes on the 28th else."""
    return Calendar(times=(at,), months=frozenset((month,)), days=frozenset((day,)), clips=True)


def first(calendar: Calendar, zone: str, at: int, slot: int = 0) -> Occurrence | None:
    """The first occurrence at or after the instant `at`; of those at `at` itself the first beyond `slot`."""
    known = _latest.get((calendar, zone))
    if known is not None:
        since, found = known
        if since <= (at, slot) < (found.instant, found.slot):
            return found
    found = _search(calendar, zone, at, slot)
    if found is not None:
        if len(_latest) >= _REMEMBERED:
            _latest.clear()
        _latest[calendar, zone] = (at, slot), found
    return found


_REMEMBERED = 4096
# Many profiles ask the same: between two occurrences the answer stays. Only a memory of what was worked out.
_latest: dict[tuple[Calendar, str], tuple[tuple[int, int], Occurrence]] = {}


def _search(calendar: Calendar, zone: str, at: int, slot: int) -> Occurrence | None:
    # Yesterday too: in a gap across midnight its last minutes fall on today.
    for day in calendar.days_from(clock.to_local(at, zone).date() - _DAY):
        found = _on(calendar, zone, day, at, slot) if day_exists(day, zone) else None
        if found is None:
            continue
        following = day + _DAY  # in such a gap the last minutes come after the first ones of the next day
        other = calendar.has(following) and day_exists(following, zone) and _on(calendar, zone, following, at, slot)
        return min(found, other, key=lambda each: (each.instant, each.slot)) if other else found
    return None


def _on(calendar: Calendar, zone: str, day: date, at: int, slot: int) -> Occurrence | None:
    """The first of one local day."""
    midnight = day.toordinal() * 86_400
    start = _midnight(day, zone)
    if _midnight(day + _DAY, zone) - start == DAY and _midnight(day + 2 * _DAY, zone) - start == 2 * DAY:
        for seconds in calendar.times[bisect_left(calendar.times, (at - start) // SECOND) :]:
            instant = start + seconds * SECOND
            if (instant, midnight + seconds) > (at, slot):
                return Occurrence(instant, midnight + seconds)
        return None
    found = [
        (clock.from_local(datetime.combine(day, datetime.min.time()) + timedelta(seconds=seconds), zone), seconds)
        for seconds in calendar.times
    ]
    coming = [(instant, midnight + seconds) for instant, seconds in found if (instant, midnight + seconds) > (at, slot)]
    return Occurrence(*min(coming)) if coming else None


@lru_cache(16_384)
def _midnight(day: date, zone: str) -> int:
    return clock.from_local(datetime(day.year, day.month, day.day), zone)


def zone_named(zone: str, profile: str, workspace: str) -> str:
    """`profile`, `workspace` or an IANA zone, as an IANA zone."""
    return profile if zone == "profile" else workspace if zone == "workspace" else zone

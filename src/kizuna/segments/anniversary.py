"""`anniversary: {"within_next": "7d"}`: month and day in the profile's zone; 29 February counts on the 28th else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from kizuna.core import calendar, clock
from kizuna.core.clock import DAY
from kizuna.core.errors import Invalid

_DAY = timedelta(days=1)


def check(value: Any) -> None:
    """Raises `Invalid` unless the constant names a whole number of days, at most a year."""
    if not isinstance(value, dict) or set(value) != {"within_next"} or not isinstance(value["within_next"], str):
        raise Invalid('write it like {"within_next": "7d"}', code="invalid_value")
    length = clock.duration(value["within_next"])
    if length.exact % DAY or length.exact > 366 * DAY or length.months > 12 or not (length.exact or length.months):
        raise Invalid("an anniversary looks ahead by whole days, at most a year", code="invalid_value")


def days(constant: dict[str, str], now: int, zone: str) -> list[date]:
    """The local days looked at, today the first."""
    length = clock.duration(constant["within_next"])
    today = clock.to_local(now, zone).date()
    end = clock.to_local(clock.after(now, length, zone), zone).date() if length.months else today
    count = (end - today).days if length.months else length.exact // DAY
    return [today + _DAY * offset for offset in range(count)]


def month_days(constant: dict[str, str], now: int, zone: str) -> set[tuple[int, int]]:
    """The (month, day) pairs that have their anniversary on one of these days."""
    found = set()
    for day in days(constant, now, zone):
        found.add((day.month, day.day))
        if (day.month, day.day) == (2, 28) and not _is_leap(day.year):
            found.add((2, 29))
    return found


def compile_check(constant: dict[str, str]) -> Callable[[Any, int, str], bool]:
    def holds(value: Any, now: int, zone: str) -> bool:
        born = _month_day(value, zone)
        return born is not None and born in month_days(constant, now, zone)

    return holds


def next_change(constant: dict[str, str], value: Any, now: int, zone: str) -> int:
    """The next local midnight at which the answer may differ; 0 when the value is no date."""
    born = _month_day(value, zone)
    if born is None:
        return 0
    looked_at = days(constant, now, zone)
    today, last = looked_at[0], looked_at[-1]
    if born in month_days(constant, now, zone) or clock.duration(constant["within_next"]).months:
        return calendar.midnight(today + _DAY, zone)
    coming = min(day for day in (_in_year(born, last.year), _in_year(born, last.year + 1)) if day > last)
    return calendar.midnight(today + (coming - last), zone)


def _in_year(born: tuple[int, int], year: int) -> date:
    month, day = born
    return date(year, month, 28 if born == (2, 29) and not _is_leap(year) else day)


def _month_day(value: Any, zone: str) -> tuple[int, int] | None:
    instant = clock.read_time(value, zone) if isinstance(value, str) else None
    if instant is None:
        return None
    local = clock.to_local(instant, zone)
    return local.month, local.day


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)

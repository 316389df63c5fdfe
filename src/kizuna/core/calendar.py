"""Days, weeks (from Monday), months and years as a calendar has them; a zone says when their first midnight is."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from kizuna.core import clock

_MONTHS = {"mo": 1, "y": 12}


def begin(instant: int, unit: str, zone: str) -> date:
    """The local date on which the day, week, month or year of an instant begins."""
    day = clock.to_local(instant, zone).date()
    match unit:
        case "w":
            return day - timedelta(days=day.weekday())
        case "mo":
            return day.replace(day=1)
        case "y":
            return day.replace(month=1, day=1)
    return day


def later(day: date, count: int, unit: str) -> date:
    """The beginning that many units on; `day` is one itself."""
    if unit in _MONTHS:
        index = day.year * 12 + day.month - 1 + count * _MONTHS[unit]
        return date(index // 12, index % 12 + 1, 1)
    return day + timedelta(days=count * (7 if unit == "w" else 1))


def midnight(day: date, zone: str) -> int:
    """The instant at which a local date begins."""
    return clock.from_local(datetime.combine(day, time()), zone)

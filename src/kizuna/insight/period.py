"""Periods of a report: half-open, cut into local days, weeks (Monday) and months."""

from __future__ import annotations

import re
from datetime import date

from msgspec import Struct

from kizuna.core import calendar, clock
from kizuna.core.errors import Invalid

MOST_CUTS = 5_000
_EVERY = re.compile(r"([1-9]\d{0,2})(d|w|mo|y)\Z")


class Period(Struct, frozen=True):
    """From `start`, or ever since, up to and without `end`."""

    start: int | None
    end: int
    zone: str

    def shown(self) -> dict[str, str | None]:
        return {"from": None if self.start is None else clock.show(self.start), "to": clock.show(self.end)}


class Cut(Struct, frozen=True):
    """One part of a period: its local date, and the instant it begins."""

    day: date
    start: int


def read(since: str | None, until: str | None, zone: str, now: int) -> Period:
    """Times, or dates that begin at local midnight; without `until`, up to now."""
    clock.zone_info(zone)
    start, end = _instant("from", since, zone), _instant("to", until, zone)
    period = Period(start, now if end is None else end, zone)
    if start is not None and period.end < start:
        raise Invalid("`to` lies before `from`", code="invalid_period")
    return period


def cuts(start: int, end: int, every: str, zone: str) -> list[Cut]:
    """The parts of [start, end), the first one whole; at least one."""
    count, unit = read_every(every)
    found = [Cut(day := calendar.begin(start, unit, zone), calendar.midnight(day, zone))]
    while (begins := calendar.midnight(day := calendar.later(day, count, unit), zone)) < end:
        found.append(Cut(day, begins))
        if len(found) > MOST_CUTS:
            raise Invalid(f"that are more than {MOST_CUTS} parts: ask for longer ones", code="too_many_parts")
    return found


def read_every(text: str) -> tuple[int, str]:
    match = _EVERY.match(text)
    if not match:
        raise Invalid(f"every={text!r} must be like 1d, 1w, 1mo or 1y", code="invalid_every")
    return int(match[1]), match[2]


def _instant(name: str, text: str | None, zone: str) -> int | None:
    if not text:
        return None
    found = clock.read_time(text, zone)
    if found is None:
        raise Invalid(f"`{name}` must be a date or an RFC 3339 time, not {text!r}", code="invalid_period")
    return found

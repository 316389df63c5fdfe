"""Cron lines held against a walk over every minute, with clock changes as the time zone database prints them."""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from kizuna.core import clock
from kizuna.core.clock import MINUTE, SECOND
from kizuna.core.errors import Invalid
from kizuna.journeys.schedule import Calendar, cron, first, yearly, zone_named

PRINTED = Path(__file__).parents[2] / "data" / "timezones"
LINE = re.compile(r"\S+ +\w{3} (\w{3} +\d+ \d\d:\d\d:\d\d \d{4}) UT = .* gmtoff=(-?\d+)")
EPOCH = datetime(1970, 1, 1)
DAY = timedelta(days=1)


def offsets(zone: str) -> list[tuple[datetime, timedelta]]:
    """(UTC instant, offset from then on), as printed."""
    printed = (PRINTED / f"{zone.replace('/', '_')}.zdump.txt").read_text()
    found = [LINE.match(line) for line in printed.splitlines()]
    return [
        (datetime.strptime(each[1], "%b %d %H:%M:%S %Y"), timedelta(seconds=int(each[2]))) for each in found if each
    ]


def offset_at(instant: datetime, known: list[tuple[datetime, timedelta]], always: timedelta) -> timedelta:
    place = bisect_right(known, (instant, timedelta.max))
    return known[max(0, place - 1)][1] if known else always


def minutes_of(zone: str, start: datetime, end: datetime, always: timedelta) -> list[tuple[datetime, datetime]]:
    """(UTC, local) of every local minute between two UTC instants, in order; those of a gap too, of no skipped day."""
    known = offsets(zone)
    heard: dict[datetime, datetime] = {}  # local minute to its first instant
    at = start - 2 * DAY
    while at < end + 2 * DAY:
        heard.setdefault(at + offset_at(at, known, always), at)
        at += timedelta(minutes=1)
    dates = {local.date() for local in heard}
    local, last, before, found = min(heard), max(heard), timedelta(), []
    while local < last:
        if local in heard:
            before = local - heard[local]  # and in a gap, the offset before it
        if local.date() in dates:
            found.append((heard.get(local, local - before), local))
        local += timedelta(minutes=1)
    return sorted(each for each in found if start <= each[0] < end)


def named(line: str, local: datetime) -> bool:
    """A plain reading of a line of numbers, lists and steps."""
    minute, hour, day, month, weekday = line.split()
    by_day, by_week = has(day, local.day, 1), has(weekday, local.isoweekday() % 7, 0)
    days = by_day or by_week if "*" not in day and "*" not in weekday else by_day and by_week
    return has(minute, local.minute, 0) and has(hour, local.hour, 0) and has(month, local.month, 1) and days


def has(field: str, value: int, low: int) -> bool:
    for part in field.split(","):
        span, _, step = part.partition("/")
        start, _, end = span.partition("-")
        if span == "*":
            start, end = str(low), "99"
        if int(start) <= value <= int(end or start) and (value - int(start)) % int(step or 1) == 0:
            return True
    return False


def instants(calendar: Calendar, zone: str, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    found, at, slot = [], micros(start), 0
    while (coming := first(calendar, zone, at, slot)) and coming.instant < micros(end):
        day, second = divmod(coming.slot, 86_400)
        local = datetime.combine(date.fromordinal(day), datetime.min.time()) + timedelta(seconds=second)
        found.append((EPOCH + timedelta(microseconds=coming.instant), local))
        at, slot = coming.instant, coming.slot
    return found


def micros(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


def some_lines() -> list[str]:
    chance = random.Random(7)  # the same lines each time
    minutes = ["0", "30", "*/20", "15,45", "0-10/5"]
    hours = ["*", "0", "1", "2", "9", "0-3", "*/6", "23"]
    days = ["*", "*", "1", "29-31", "*/2"]
    weekdays = ["*", "*", "0", "1-5", "5,6"]
    return [
        f"{chance.choice(minutes)} {chance.choice(hours)} {chance.choice(days)} * {chance.choice(weekdays)}"
        for _ in range(8)
    ]


CHANGES = [
    ("America/New_York", "2026-03-07", "2026-03-10"),  # 02:00 to 03:00
    ("America/New_York", "2026-10-31", "2026-11-03"),
    ("Europe/London", "2026-03-28", "2026-03-31"),
    ("Europe/London", "2026-10-24", "2026-10-27"),
    ("America/Sao_Paulo", "2018-11-03", "2018-11-06"),  # 00:00 to 01:00
    ("America/Sao_Paulo", "2018-02-17", "2018-02-20"),  # 00:00 back to 23:00
    ("Pacific/Apia", "2011-12-28", "2012-01-02"),  # no 30 December
    ("Pacific/Apia", "2012-03-31", "2012-04-03"),
    ("Asia/Tokyo", "2026-02-27", "2026-03-03"),
]


@pytest.mark.parametrize(("zone", "start", "end"), CHANGES)
def test_occurrences_are_those_of_a_walk_over_every_minute(zone: str, start: str, end: str) -> None:
    between = (datetime.fromisoformat(start), datetime.fromisoformat(end))
    minutes = minutes_of(zone, *between, always=timedelta(hours=9))
    for line in ["*/15 * * * *", "30 2 * * *", "30 0,1,23 * * *", "0 9 30 12 *", *some_lines()]:
        expected = [(at, local) for at, local in minutes if named(line, local)]
        assert instants(cron(line), zone, *between) == expected, line


@pytest.mark.parametrize(
    ("line", "zone", "at", "expected"),
    [
        ("0 9 * * mon", "Asia/Tokyo", "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z"),  # exactly now is now
        ("0 9 * * mon", "Asia/Tokyo", "2026-03-02T00:00:00.000001Z", "2026-03-09T00:00:00Z"),
        ("30 2 * * *", "America/New_York", "2026-03-08T05:00:00Z", "2026-03-08T07:30:00Z"),
        ("30 1 * * *", "America/New_York", "2026-11-01T04:00:00Z", "2026-11-01T05:30:00Z"),
        ("30 1 * * *", "America/New_York", "2026-11-01T05:30:00.000001Z", "2026-11-02T06:30:00Z"),
        ("0 9 * * *", "Pacific/Apia", "2011-12-29T19:00:01Z", "2011-12-30T19:00:00Z"),  # 29th to 31st
        ("0 0 29 feb *", "UTC", "2026-03-02T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 0 29 2 *", "UTC", "2096-02-29T00:00:01Z", "2104-02-29T00:00:00Z"),
        ("0 0 13 * fri", "UTC", "2026-03-07T00:00:00Z", "2026-03-13T00:00:00Z"),
        ("0 0 1 1 sat,sun", "UTC", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"),  # a day of the month or a weekday
        ("0 0 * * fri-sun", "UTC", "2026-03-02T00:00:00Z", "2026-03-06T00:00:00Z"),
        ("0 0 * * 7", "UTC", "2026-03-02T00:00:00Z", "2026-03-08T00:00:00Z"),
    ],
)  # fmt: skip
def test_the_first_from_an_instant_on(line: str, zone: str, at: str, expected: str) -> None:
    since = clock.read_time(at)
    assert since is not None
    found = first(cron(line), zone, since)
    assert found is not None
    assert clock.show(found.instant) == expected


def test_what_was_asked_before_changes_no_answer() -> None:
    chance = random.Random(3)
    start, calendar, zone = micros(datetime(2026, 3, 7)), cron("*/45 */5 * * *"), "America/New_York"
    asked = [start + chance.randrange(0, 3 * 24 * 60) * MINUTE + chance.randrange(0, 2) for _ in range(300)]
    again = [first(calendar, zone, at) for at in asked]
    fresh = [first(cron.__wrapped__("*/45 */5 * * *"), zone, at) for at in asked]
    assert again == fresh


@pytest.mark.parametrize(
    ("born", "at", "zone", "since", "expected"),
    [
        ((3, 5), "09:00", "Asia/Tokyo", "2026-03-02T10:00:00Z", "2026-03-05T00:00:00Z"),
        ((3, 2), "09:00", "UTC", "2026-03-02T10:00:00Z", "2027-03-02T09:00:00Z"),
        ((2, 29), "09:00", "UTC", "2026-01-01T00:00:00Z", "2026-02-28T09:00:00Z"),
        ((2, 29), "09:00", "UTC", "2028-01-01T00:00:00Z", "2028-02-29T09:00:00Z"),
        ((2, 28), "09:00", "UTC", "2028-01-01T00:00:00Z", "2028-02-28T09:00:00Z"),
        ((12, 30), "09:00", "Pacific/Apia", "2011-06-01T00:00:00Z", "2012-12-29T19:00:00Z"),  # no such day in 2011
        ((3, 8), "02:30", "America/New_York", "2026-01-01T00:00:00Z", "2026-03-08T07:30:00Z"),
        ((11, 4), "00:30", "America/Sao_Paulo", "2018-06-01T00:00:00Z", "2018-11-04T03:30:00Z"),
    ],
)
def test_anniversaries(born: tuple[int, int], at: str, zone: str, since: str, expected: str) -> None:
    hours, minutes = (int(part) for part in at.split(":"))
    instant = clock.read_time(since)
    assert instant is not None
    found = first(yearly(*born, hours * 3600 + minutes * 60), zone, instant)
    assert found is not None
    assert clock.show(found.instant) == expected


@pytest.mark.parametrize(
    "line",
    [
        "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *",
        "* * * * 8", "* * * * funday", "5-1 * * * *", "*/0 * * * *", "*/x * * * *", "1/5 * * * *", "0 0 30 2 *",
        "0 0 31 2,4,6,9,11 *", "٣ * * * *", "1,,2 * * * *", "-1 * * * *", "*/99999999999 * * * *", "@daily",
    ],
)  # fmt: skip
def test_lines_that_mean_nothing_are_refused(line: str) -> None:
    with pytest.raises(Invalid) as caught:
        cron(line)
    assert caught.value.code == "invalid_schedule"


def test_the_last_years_of_the_calendar_have_an_end() -> None:
    assert first(cron("0 0 29 2 *"), "UTC", micros(datetime(9998, 1, 1, tzinfo=UTC).replace(tzinfo=None))) is None
    assert first(yearly(1, 1, 0), "UTC", clock.LAST_INSTANT - SECOND) is None


def test_zones_are_named_by_whose_they_are() -> None:
    assert zone_named("profile", "Asia/Tokyo", "UTC") == "Asia/Tokyo"
    assert zone_named("workspace", "Asia/Tokyo", "UTC") == "UTC"
    assert zone_named("Europe/London", "Asia/Tokyo", "UTC") == "Europe/London"

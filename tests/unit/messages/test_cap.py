"""Caps: exact to the microsecond, held to a model that counts the plain way."""

from __future__ import annotations

import random
from datetime import date
from itertools import pairwise

import pytest

from kizuna.core import calendar, clock
from kizuna.core.clock import DAY, HOUR, MINUTE, SECOND, duration
from kizuna.messages.cap import PERIODS, Cap, ends_at

TOKYO = "Asia/Tokyo"


def a_cap(most: int = 1, per: str = "1d", *, calendar: bool = False) -> Cap:
    return Cap(
        channel="email", topic=None, max=most, per=duration(per), period=PERIODS[per] if calendar else None,
        then="skip", hold_for=duration("48h"),
    )  # fmt: skip


def at(text: str) -> int:
    found = clock.read_time(text)
    assert found is not None
    return found


def test_a_sliding_window_is_open_behind_and_closed_before() -> None:
    cap = a_cap(1, "1d")
    granted = at("2026-03-02T09:00:00Z")
    assert cap.is_full([granted], granted + DAY - 1, "UTC")
    assert not cap.is_full([granted], granted + DAY, "UTC")
    assert cap.frees_at([granted], granted + HOUR, "UTC") == granted + DAY


def test_what_goes_later_counts_too() -> None:
    """As where it waits for the end of quiet hours."""
    cap = a_cap(1, "1d")
    morning = at("2026-03-03T08:00:00Z")
    assert cap.is_full([morning], morning - 9 * HOUR, "UTC")
    assert not cap.is_full([morning], morning - DAY, "UTC")


def test_two_far_apart_leave_room_between_them() -> None:
    cap = a_cap(2, "1d")
    first, last = at("2026-03-02T00:00:00Z"), at("2026-03-03T06:00:00Z")
    assert not cap.is_full([first, last], at("2026-03-02T20:00:00Z"), "UTC")
    assert cap.is_full([first, first + 7 * HOUR, last], at("2026-03-02T20:00:00Z"), "UTC")


@pytest.mark.parametrize(
    ("per", "granted", "full_until", "zone"),
    [
        ("1d", "2026-03-02T23:59:59+09:00", "2026-03-03T00:00:00+09:00", TOKYO),
        ("1w", "2026-03-04T12:00:00+09:00", "2026-03-09T00:00:00+09:00", TOKYO),  # weeks begin on Monday
        ("7d", "2026-03-08T23:00:00+09:00", "2026-03-09T00:00:00+09:00", TOKYO),
        ("1mo", "2026-01-31T12:00:00+09:00", "2026-02-01T00:00:00+09:00", TOKYO),
        ("1y", "2026-12-31T23:00:00+09:00", "2027-01-01T00:00:00+09:00", TOKYO),
        ("1d", "2026-03-08T00:30:00-05:00", "2026-03-09T00:00:00-04:00", "America/New_York"),  # a day of 23 hours
        ("1d", "2026-11-01T00:30:00-04:00", "2026-11-02T00:00:00-05:00", "America/New_York"),  # and one of 25
        ("1d", "2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00", "Pacific/Apia"),  # the 30th was left out
        ("1d", "2018-11-03T12:00:00-03:00", "2018-11-04T01:00:00-02:00", "America/Sao_Paulo"),  # no midnight
    ],
)
def test_a_calendar_window_ends_with_the_local_period(per: str, granted: str, full_until: str, zone: str) -> None:
    cap = a_cap(1, per, calendar=True)
    assert cap.is_full([at(granted)], at(full_until) - 1, zone)
    assert not cap.is_full([at(granted)], at(full_until), zone)
    assert cap.frees_at([at(granted)], at(granted), zone) == at(full_until) == cap.ends(at(granted), zone)


def test_23_00_and_00_00_are_two_calendar_days_and_one_sliding_day() -> None:
    late, midnight = at("2026-03-02T23:00:00+09:00"), at("2026-03-03T00:00:00+09:00")
    assert not a_cap(1, "1d", calendar=True).is_full([late], midnight, TOKYO)
    assert a_cap(1, "1d").is_full([late], midnight, TOKYO)


def test_calendar_months_keep_the_day_and_clip_to_the_last() -> None:
    cap = a_cap(1, "1mo")
    granted = at("2026-01-31T09:00:00+09:00")
    assert cap.frees_at([granted], granted, TOKYO) == at("2026-02-28T09:00:00+09:00")


def test_weeks_and_months_begin_where_people_say_they_do() -> None:
    noon = at("2026-03-08T12:00:00+09:00")  # a Sunday
    assert calendar.begin(noon, "w", TOKYO) == date(2026, 3, 2)
    assert calendar.begin(noon, "mo", TOKYO) == date(2026, 3, 1)
    assert ends_at("mo", at("2026-12-05T00:00:00Z"), "UTC") == at("2027-01-01T00:00:00Z")


@pytest.mark.parametrize("seed", range(60))
def test_no_window_ever_holds_more_and_nothing_is_refused_without_need(seed: int) -> None:
    """The model knows one sentence: in no window of that length lie more than `max`. It tries every window."""
    chance = random.Random(seed)
    most, length = chance.randint(1, 4), chance.choice([10 * MINUTE, HOUR, DAY])
    cap = Cap(
        channel="email", topic=None, max=most, per=clock.Duration(exact=length), period=None, then="skip",
        hold_for=duration("48h"),
    )  # fmt: skip
    granted: list[int] = []
    now = at("2026-03-02T00:00:00Z")
    for _ in range(120):
        now += chance.choice([0, 1, SECOND, length // 7, length // 2, length - 1, length])
        wanted = now + (chance.randint(0, length) if chance.random() < 0.3 else 0)  # some wait for the morning
        crowded = most_in_a_window([*granted, wanted], length) > most
        assert cap.is_full(granted, wanted, "UTC") == crowded
        free = cap.frees_at(granted, wanted, "UTC")
        assert most_in_a_window([*granted, free], length) <= most
        assert (free == wanted) == (not crowded)
        if crowded:
            assert most_in_a_window([*granted, free - 1], length) > most
        else:
            granted.append(wanted)


def most_in_a_window(times: list[int], length: int) -> int:
    """Of half-open windows `(end - length, end]`; one with the most ends at one of the times."""
    return max(sum(end - length < each <= end for each in times) for end in times)


@pytest.mark.parametrize("zone", ["UTC", TOKYO, "America/New_York"])
@pytest.mark.parametrize("per", ["1d", "1w", "1mo", "1y"])
def test_calendar_periods_follow_each_other_without_a_gap(per: str, zone: str) -> None:
    instant = at("2025-12-28T12:00:00Z")
    ends = []
    for _ in range(20):
        instant = ends_at(PERIODS[per], instant, zone)
        ends.append(instant)
        assert clock.to_local(instant, zone).time().isoformat() == "00:00:00"
        assert calendar.begin(instant - 1, PERIODS[per], zone) < calendar.begin(instant, PERIODS[per], zone)
    assert all(first < second for first, second in pairwise(ends))

from __future__ import annotations

from datetime import time

import pytest

from kizuna.core import clock
from kizuna.core.errors import Invalid
from kizuna.core.local_time import WEEKDAYS, days_later, next_at, time_of_day


def instant(text: str) -> int:
    found = clock.read_time(text)
    assert found is not None
    return found


def at(now: str, zone: str, when: str, days: str = "mon tue wed thu fri sat sun", *, strictly: bool = False) -> str:
    weekdays = frozenset(WEEKDAYS.index(day) for day in days.split())
    return clock.show(next_at(instant(now), zone, time_of_day(when), weekdays, strictly=strictly))


@pytest.mark.parametrize(
    ("text", "expected"), [("09:00", time(9)), ("9:05", time(9, 5)), ("23:59:59", time(23, 59, 59))]
)
def test_times_of_day_are_read(text: str, expected: time) -> None:
    assert time_of_day(text) == expected


@pytest.mark.parametrize("text", ["24:00", "9", "09:60", "", None, 9, "09:00 am"])
def test_other_things_are_no_time_of_day(text: object) -> None:
    with pytest.raises(Invalid):
        time_of_day(text)


def test_exactly_now_is_now_unless_it_must_be_later() -> None:
    assert at("2026-03-02T09:00:00Z", "UTC", "09:00") == "2026-03-02T09:00:00Z"
    assert at("2026-03-02T09:00:00Z", "UTC", "09:00", strictly=True) == "2026-03-03T09:00:00Z"
    assert at("2026-03-02T09:00:00.000001Z", "UTC", "09:00") == "2026-03-03T09:00:00Z"


def test_weekdays_are_local() -> None:
    # Sunday 23:30 in UTC is Monday in Tokyo
    assert at("2026-03-01T23:30:00Z", "Asia/Tokyo", "09:00", "mon") == "2026-03-02T00:00:00Z"
    assert at("2026-03-02T00:00:01Z", "Asia/Tokyo", "09:00", "mon") == "2026-03-09T00:00:00Z"


def test_a_gap_takes_the_offset_before_it() -> None:
    assert at("2026-03-08T05:30:00Z", "America/New_York", "02:30") == "2026-03-08T07:30:00Z"
    # the offset is that of the target date: 09:00 is 13:00 in UTC after the change, 14:00 before
    assert at("2026-03-08T00:00:00Z", "America/New_York", "09:00") == "2026-03-08T13:00:00Z"


def test_a_time_that_comes_twice_is_the_first_and_never_again() -> None:
    assert at("2026-11-01T04:00:00Z", "America/New_York", "01:30") == "2026-11-01T05:30:00Z"
    assert at("2026-11-01T05:30:01Z", "America/New_York", "01:30") == "2026-11-02T06:30:00Z"
    # 06:30Z reads 01:30 for the second time
    assert at("2026-11-01T06:30:00Z", "America/New_York", "01:30") == "2026-11-02T06:30:00Z"


def test_a_date_that_does_not_exist_has_no_occurrence() -> None:
    # Apia skipped Friday 2011-12-30
    assert at("2011-12-29T20:00:00Z", "Pacific/Apia", "09:00") == "2011-12-30T19:00:00Z"  # Saturday 31st, 09:00
    assert at("2011-12-29T20:00:00Z", "Pacific/Apia", "09:00", "fri") == "2012-01-05T19:00:00Z"


def test_the_same_time_tomorrow_is_not_24_hours() -> None:
    before_change = instant("2026-03-07T14:00:00Z")  # 09:00 in New York
    assert clock.show(days_later(before_change, 1, "America/New_York")) == "2026-03-08T13:00:00Z"
    # 02:30 on the day of the gap, by the offset before it
    assert clock.show(days_later(instant("2026-03-07T07:30:00Z"), 1, "America/New_York")) == "2026-03-08T07:30:00Z"
    # 01:30 on the day it comes twice: the first
    assert clock.show(days_later(instant("2026-10-31T05:30:00Z"), 1, "America/New_York")) == "2026-11-01T05:30:00Z"
    # the day that Apia skipped
    assert clock.show(days_later(instant("2011-12-29T19:00:00Z"), 1, "Pacific/Apia")) == "2011-12-30T19:00:00Z"

"""Durations, RFC 3339 and zones, against the tz database as zdump prints it."""

from __future__ import annotations

import pytest

from kizuna.core import clock
from kizuna.core.clock import (
    DAY,
    HOUR,
    Duration,
    after,
    before,
    duration,
    from_local,
    read_time,
    show,
    show_duration,
    to_local,
)
from kizuna.core.errors import Invalid


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", Duration(exact=90 * clock.SECOND)),
        ("15m", Duration(exact=15 * clock.MINUTE)),
        ("2h", Duration(exact=2 * HOUR)),
        ("30d", Duration(exact=30 * DAY)),
        ("6w", Duration(exact=42 * DAY)),
        ("1mo", Duration(months=1)),
        ("2y", Duration(months=24)),
    ],
)
def test_durations(text: str, expected: Duration) -> None:
    assert duration(text) == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("90s", "90s"),
        ("60m", "1h"),
        ("36h", "36h"),
        ("7d", "7d"),
        ("1w", "7d"),
        ("14mo", "14mo"),
        ("24mo", "2y"),
        ("0s", "0d"),
    ],
)
def test_a_duration_is_shown_as_one_would_write_it(text: str, shown: str) -> None:
    assert show_duration(duration(text)) == shown
    assert duration(shown) == duration(text)


@pytest.mark.parametrize("text", ["", "1", "d", "-1d", "1.5h", "1 d", "1D", "9999y", "1d\n", "１d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        duration(text)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-03-02T10:00:00Z", "UTC", "2026-03-02T10:00:00Z"),
        ("2026-03-02T10:00:00+09:00", "UTC", "2026-03-02T01:00:00Z"),
        ("2026-3-2", "Asia/Tokyo", "2026-03-01T15:00:00Z"),
        ("2026-03-02 10:00", "America/New_York", "2026-03-02T15:00:00Z"),
        ("2026-03-02T10:00:00.123456789Z", "UTC", "2026-03-02T10:00:00.123456Z"),
        ("2016-12-31T23:59:60Z", "UTC", "2017-01-01T00:00:00Z"),  # a leap second
        ("2026-03-08T02:30:00", "America/New_York", "2026-03-08T07:30:00Z"),  # a gap: the offset before it
        ("2026-11-01T01:30:00", "America/New_York", "2026-11-01T05:30:00Z"),  # twice: the first
        ("2011-12-30T09:00:00", "Pacific/Apia", "2011-12-30T19:00:00Z"),  # a day that was not
    ],
)
def test_times_are_read(text: str, zone: str, expected: str) -> None:
    instant = read_time(text, zone)
    assert instant is not None
    assert show(instant) == expected


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-02-30", "2026-13-01", "2026-01-01T25:00Z", "20260101", "1" * 99]
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert read_time(text) is None


@pytest.mark.parametrize(
    ("start", "length", "zone", "expected"),
    [
        ("2026-01-31T10:00:00", "1mo", "UTC", "2026-02-28T10:00:00"),
        ("2028-02-29T10:00:00", "1y", "Asia/Tokyo", "2029-02-28T10:00:00"),
        ("2026-02-08T10:00:00", "1mo", "America/New_York", "2026-03-08T10:00:00"),  # over a change: same local time
        ("2026-12-31T00:00:00", "2mo", "Europe/London", "2027-02-28T00:00:00"),
    ],
)
def test_calendar_lengths_keep_local_time(start: str, length: str, zone: str, expected: str) -> None:
    begun = read_time(start, zone)
    assert begun is not None
    assert after(begun, duration(length), zone) == read_time(expected, zone)


def test_exact_days_do_not_keep_local_time() -> None:
    begun = read_time("2026-03-07T10:00:00", "America/New_York") or 0
    assert to_local(after(begun, duration("1d"), "America/New_York"), "America/New_York").hour == 11
    assert before(after(begun, duration("1d"), "UTC"), duration("1d"), "UTC") == begun


@pytest.mark.parametrize(
    ("zone", "transition", "local_before", "local_after"),
    [  # from the tz database as `zdump -v` prints it
        ("America/New_York", "2026-03-08T07:00:00Z", "01:59:59", "03:00:00"),
        ("America/New_York", "2026-11-01T06:00:00Z", "01:59:59", "01:00:00"),
        ("Europe/London", "2026-03-29T01:00:00Z", "00:59:59", "02:00:00"),
        ("America/Sao_Paulo", "2018-11-04T03:00:00Z", "23:59:59", "01:00:00"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z", "23:59:59", "00:00:00"),
    ],
)
def test_transitions(zone: str, transition: str, local_before: str, local_after: str) -> None:
    instant = read_time(transition) or 0
    assert to_local(instant - clock.SECOND, zone).time().isoformat() == local_before
    assert to_local(instant, zone).time().isoformat() == local_after


def test_local_times_come_back() -> None:
    for zone in ("Asia/Tokyo", "America/New_York", "Europe/London", "America/Sao_Paulo"):
        for hour in range(0, 24 * 366, 7):
            instant = (read_time("2026-01-01T00:30:00Z") or 0) + hour * HOUR
            back = from_local(to_local(instant, zone), zone)
            assert back in (instant, instant - HOUR)  # of two instants with one wall-clock time the first


@pytest.mark.parametrize("name", ["", "Tokyo/Asia", "/etc/passwd", "../UTC", "Asia/Tokyo\x00"])
def test_unknown_zones_are_refused(name: str) -> None:
    with pytest.raises(Invalid):
        clock.zone_info(name)


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (61 * clock.SECOND + 500_000, "1970-01-01T00:01:01.500Z"),
        (clock.LAST_INSTANT, "9999-12-31T23:59:59Z"),
        (clock.LAST_INSTANT + clock.DAY, "9999-12-31T23:59:59Z"),  # beyond what a date can say
    ],
)
def test_instants_are_shown_in_utc_with_what_fraction_they_have(instant: int, expected: str) -> None:
    assert clock.show(instant) == expected

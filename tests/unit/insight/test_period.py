"""Periods are cut at local midnights, through changes of the clocks."""

from __future__ import annotations

import pytest

from kizuna.core import clock
from kizuna.core.errors import Invalid
from kizuna.insight.period import cuts, read


def instant(text: str) -> int:
    found = clock.read_time(text)
    assert found is not None
    return found


def test_days_of_23_and_25_hours_are_days() -> None:
    spring = cuts(instant("2026-03-28T00:00:00Z"), instant("2026-03-30T12:00:00Z"), "1d", "Europe/London")
    assert [clock.show(cut.start) for cut in spring] == [
        "2026-03-28T00:00:00Z",
        "2026-03-29T00:00:00Z",
        "2026-03-29T23:00:00Z",
    ]
    autumn = cuts(instant("2026-10-25T12:00:00Z"), instant("2026-10-26T12:00:00Z"), "1d", "Europe/London")
    assert [clock.show(cut.start) for cut in autumn] == ["2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z"]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    weeks = cuts(instant("2026-11-22T00:00:00Z"), instant("2026-11-24T00:00:00Z"), "1w", "UTC")
    assert [cut.day.isoformat() for cut in weeks] == ["2026-11-16", "2026-11-23"]
    months = cuts(instant("2026-01-31T20:00:00Z"), instant("2027-01-01T00:00:00Z"), "3mo", "Asia/Tokyo")
    assert [cut.day.isoformat() for cut in months] == ["2026-02-01", "2026-05-01", "2026-08-01", "2026-11-01"]


def test_a_day_that_was_skipped_is_empty() -> None:
    days = cuts(instant("2011-12-29T12:00:00Z"), instant("2011-12-31T12:00:00Z"), "1d", "Pacific/Apia")
    assert [cut.day.isoformat() for cut in days][:1] == ["2011-12-29"]
    assert [cut.start for cut in days] == sorted(cut.start for cut in days)


def test_a_date_begins_at_local_midnight_and_the_end_is_not_in_it() -> None:
    span = read("2026-01-01", "2026-04-01", "Asia/Tokyo", 0)
    assert span.shown() == {"from": "2025-12-31T15:00:00Z", "to": "2026-03-31T15:00:00Z"}
    assert read(None, None, "UTC", 5_000_000).shown() == {"from": None, "to": "1970-01-01T00:00:05Z"}


@pytest.mark.parametrize(
    ("since", "until", "every"),
    [("soon", None, "1d"), ("2026-02-01", "2026-01-01", "1d"), ("2026-01-01", None, "1h"), ("1990-01-01", None, "1d")],
)
def test_what_cannot_be_cut_is_refused(since: str, until: str | None, every: str) -> None:
    with pytest.raises(Invalid):
        span = read(since, until, "UTC", instant("2026-11-22"))
        cuts(span.start or 0, span.end, every, "UTC")

"""Units of the calendar begin at a local midnight, also where a zone has none."""

from __future__ import annotations

from datetime import date

import pytest

from kizuna.core import calendar, clock


def at(text: str) -> int:
    found = clock.read_time(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("unit", "begun", "following"),
    [
        ("d", date(2026, 3, 1), date(2026, 3, 2)),
        ("w", date(2026, 2, 23), date(2026, 3, 2)),
        ("mo", date(2026, 3, 1), date(2026, 4, 1)),
        ("y", date(2026, 1, 1), date(2027, 1, 1)),
    ],
)
def test_a_unit_begins_where_the_zone_has_it(unit: str, begun: date, following: date) -> None:
    sunday_in_tokyo = at("2026-02-28T15:00:00Z")
    assert calendar.begin(sunday_in_tokyo, unit, "Asia/Tokyo") == begun
    assert calendar.later(begun, 1, unit) == following


def test_months_go_over_the_year() -> None:
    assert calendar.later(date(2026, 11, 1), 14, "mo") == date(2028, 1, 1)


def test_a_midnight_in_a_gap_takes_the_offset_before_it() -> None:
    assert calendar.midnight(date(2018, 11, 4), "America/Sao_Paulo") == at("2018-11-04T03:00:00Z")


def test_a_skipped_day_begins_when_the_next_one_does() -> None:
    assert calendar.midnight(date(2011, 12, 30), "Pacific/Apia") == at("2011-12-30T10:00:00Z")

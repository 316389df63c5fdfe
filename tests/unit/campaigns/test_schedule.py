"""Local-time campaigns in three zones and on four odd days: once each, whatever the clock on the wall did."""

from __future__ import annotations

from typing import Any

import pytest

from kizuna.campaigns.schedule import parse
from kizuna.core import clock

NEW_YORK, TOKYO, APIA = "America/New_York", "Asia/Tokyo", "Pacific/Apia"


def at(text: str) -> int:
    found = clock.read_time(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("local", "zone", "due"),
    [
        ("2026-12-24T09:00", TOKYO, "2026-12-24T00:00:00Z"),
        ("2026-12-24T09:00", "Europe/Paris", "2026-12-24T08:00:00Z"),
        ("2026-12-24T09:00", NEW_YORK, "2026-12-24T14:00:00Z"),
        ("2026-12-24T09:00:30", "UTC", "2026-12-24T09:00:30Z"),
        ("2026-03-08T02:30", NEW_YORK, "2026-03-08T07:30:00Z"),  # a gap: 03:30 by the new offset
        ("2026-03-08T03:00", NEW_YORK, "2026-03-08T07:00:00Z"),
        ("2026-11-01T01:30", NEW_YORK, "2026-11-01T05:30:00Z"),  # it comes twice: the first
        ("2026-11-01T02:00", NEW_YORK, "2026-11-01T07:00:00Z"),
        ("2026-03-29T02:15", "Europe/Paris", "2026-03-29T01:15:00Z"),
        ("2026-10-25T02:15", "Europe/Paris", "2026-10-25T00:15:00Z"),
        ("2011-12-30T09:00", APIA, "2011-12-30T19:00:00Z"),  # there was no such day: 31 December, 09:00
        ("2011-12-31T09:00", APIA, "2011-12-30T19:00:00Z"),
        ("2011-12-29T09:00", APIA, "2011-12-29T19:00:00Z"),
    ],
)
def test_a_local_time_comes_once_in_every_zone(local: str, zone: str, due: str) -> None:
    assert parse({"local": local}).due_at(at("2011-01-01T00:00:00Z"), zone) == at(due)


def test_members_are_gathered_when_the_time_comes_to_the_first_zone() -> None:
    schedule = parse({"local": "2026-12-24T09:00"})
    first = at("2026-12-23T19:00:00Z")  # UTC+14
    assert schedule.begins_at(at("2026-12-01T00:00:00Z")) == first
    assert schedule.begins_at(first + 1) == first + 1
    assert schedule.due_at(0, "Pacific/Kiritimati") == first


def test_a_fixed_time_is_the_same_instant_everywhere() -> None:
    schedule = parse("2026-12-24T09:00:00+09:00")
    assert schedule.begins_at(at("2026-12-01T00:00:00Z")) == at("2026-12-24T00:00:00Z")
    assert schedule.begins_at(at("2027-01-01T00:00:00Z")) == at("2027-01-01T00:00:00Z")
    assert schedule.due_at(at("2026-12-24T00:00:00Z"), TOKYO) == at("2026-12-24T00:00:00Z")


@pytest.mark.parametrize("raw", ["now", "2026-12-24T09:00:00Z", {"local": "2026-12-24T09:00"}])
def test_nothing_begins_before_it_is_launched(raw: Any) -> None:
    later = at("2030-01-01T00:00:00Z")
    assert parse(raw).begins_at(later) == later

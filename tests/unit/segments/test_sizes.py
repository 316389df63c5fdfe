"""Sizes over time: steps of the workspace's zone, and customers found to be one."""

from __future__ import annotations

import pytest

from kizuna.core import clock
from kizuna.core.errors import Invalid
from kizuna.segments.sizes import cut, doubles


def at(text: str) -> int:
    return clock.read_time(text) or 0


@pytest.mark.parametrize(
    ("step", "zone", "expected"),
    [
        ("1d", "America/New_York", ["2026-03-07 05", "2026-03-08 05", "2026-03-09 04", "2026-03-10 04"]),
        ("2d", "Asia/Tokyo", ["2026-03-06 15", "2026-03-08 15"]),
        ("1w", "UTC", ["2026-03-02 00", "2026-03-09 00"]),
        ("1mo", "UTC", ["2026-03-01 00"]),
        ("1y", "UTC", ["2026-01-01 00"]),
        ("24h", "UTC", ["2026-03-07 12", "2026-03-08 12", "2026-03-09 12"]),
    ],
)
def test_steps_begin_at_local_midnights(step: str, zone: str, expected: list[str]) -> None:
    steps = cut(at("2026-03-07T12:10:00Z"), at("2026-03-10T10:00:00Z"), step, zone)
    assert [clock.show(each.start)[:13].replace("T", " ") for each in steps] == expected


def test_a_day_that_a_zone_leaves_out_is_no_step() -> None:
    steps = cut(at("2011-12-29T12:00:00Z"), at("2011-12-31T12:00:00Z"), "1d", "Pacific/Apia")
    assert [each.shown for each in steps] == ["2011-12-29", "2011-12-31", "2012-01-01"]


def test_too_many_steps_are_refused() -> None:
    for step in ("1h", "1d"):
        with pytest.raises(Invalid) as refused:
            cut(0, at("2026-01-01"), step, "UTC")
        assert refused.value.code == "too_many_steps"


def test_two_members_joined_are_one_less_and_a_chain_is_followed() -> None:
    entered = [("a", 1, 1), ("b", 1, 2), ("b", 0, 4), ("c", 1, 3), ("t", 0, 9)]
    assert doubles(entered, [("s", "a", 50, 5), ("s", "c", 60, 6)]) == [60]  # a moved in, c was one too many
    assert doubles(entered, [("s", "b", 50, 5), ("s", "c", 60, 6)]) == []  # b had left
    assert doubles([*entered, ("s", 0, 6)], [("s", "a", 50, 5), ("s", "c", 70, 7)]) == []  # s left in between
    assert sorted(doubles(entered, [("s", "a", 50, 5), ("t", "s", 60, 1), ("t", "c", 70, 2)])) == [70]
    assert doubles([*entered, ("s", 1, 4)], [("s", "a", 50, 5), ("t", "s", 60, 6)]) == [50]

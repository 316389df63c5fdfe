from __future__ import annotations

from typing import Any

import pytest

from kizuna.journeys.entry import parse_entry
from kizuna.journeys.problems import Problems


def entry(on: dict[str, Any]) -> Any:
    problems = Problems()
    found = parse_entry({"on": on}, problems)
    assert problems.found == []
    return found


def test_only_an_entry_by_api_is_one() -> None:
    assert entry({"api": True}).is_by_api
    for on in ({"event": "A"}, {"schedule": "0 9 * * *"}, {"anniversary": "born", "at": "09:00"}):
        assert not entry(on).is_by_api


@pytest.mark.parametrize(
    ("value", "zone", "expected"),
    [
        ("1990-03-05", "Asia/Tokyo", (3, 5)),
        ("1990-03-05T20:00:00Z", "Asia/Tokyo", (3, 6)),  # an instant: its local day
        ("2000-02-29", "UTC", (2, 29)),
        ("soon", "UTC", None),
        (19900305, "UTC", None),
        (None, "UTC", None),
    ],
)
def test_an_anniversary_reads_the_day_of_a_trait(value: Any, zone: str, expected: tuple[int, int] | None) -> None:
    timed = entry({"anniversary": "about.born", "at": "07:30:15"}).timed
    found = timed.calendar({"about": {"born": value}}, zone)
    if expected is None:
        assert found is None
    else:
        assert (set(found.months), set(found.days), found.times) == ({expected[0]}, {expected[1]}, (27_015,))
    assert timed.calendar({"about": "nothing"}, zone) is None

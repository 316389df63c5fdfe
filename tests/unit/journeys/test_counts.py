from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from kizuna.journeys.counts import counts_of, value_counters


def test_counters_become_the_shape_of_the_contract() -> None:
    counted = {
        "entered": 5, "active": 1, "completed": 2, "exited:goal": 1, "exited:stopped": 1, "refused": 3,
        "step:mail:entered": 4, "step:mail:left": 4, "step:old step:entered": 1,
    }  # fmt: skip
    assert counts_of(counted, ["wait", "mail"]) == {
        "entered": 5,
        "active": 1,
        "completed": 2,
        "goal": 0,
        "exited": {"goal": 1, "stopped": 1},
        "steps": {
            "wait": {"entered": 0, "waiting": 0, "left": 0},
            "mail": {"entered": 4, "waiting": 0, "left": 4},
            "old step": {"entered": 1, "waiting": 0, "left": 0},
        },
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], "0"),
        ([Decimal("12.50"), "7.5", 80], "100"),
        ([Decimal("0.1")] * 3, "0.3"),
        ([Decimal("-5.000001"), 2], "-3.000001"),
        ([True, None, "seven", [], {}], "0"),
        ([10**12, "1e12", Decimal("1e300"), -(10**12)], "0"),  # no money, and nothing that a counter cannot hold
        ([999_999_999_999] * 100_000, "99999999999900000"),
    ],
)
def test_the_values_of_met_goals_are_summed_exactly(values: list[Any], expected: str) -> None:
    counted: Counter[str] = Counter()
    for value in values:
        counted.update(value_counters(value))
    assert all(abs(each) < 2**63 for each in counted.values())
    assert counts_of(counted, [], has_value=True)["value"] == expected

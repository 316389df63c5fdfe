"""Lift and its interval, against figures published with the method."""

from __future__ import annotations

import pytest

from kizuna.campaigns.lift import Arm, compare


def test_newcombes_own_example() -> None:
    """56 of 70 against 48 of 80: method 10 gives 0.0524 to 0.3339 (Newcombe 1998, table II, example a)."""
    found = compare(Arm(70, 56), Arm(80, 48))
    assert found["lift"] == pytest.approx(0.2)
    assert found["interval"] == pytest.approx([0.0524, 0.3339], abs=5e-5)
    assert found["relative_lift"] == pytest.approx(1 / 3)


def test_nobody_converted_anywhere() -> None:
    """0 of 10 against 0 of 20: -0.1611 to 0.2775 (the same table, example g)."""
    found = compare(Arm(10, 0), Arm(20, 0))
    assert (found["lift"], found["relative_lift"]) == (0, None)
    assert found["interval"] == pytest.approx([-0.1611, 0.2775], abs=5e-5)


@pytest.mark.parametrize(("arm", "control"), [(Arm(0, 0), Arm(5, 1)), (Arm(5, 1), Arm(0, 0))])
def test_without_a_denominator_there_is_no_answer(arm: Arm, control: Arm) -> None:
    assert compare(arm, control) == {"lift": None, "relative_lift": None, "interval": None}


def test_an_interval_holds_its_lift_and_turns_with_the_arms() -> None:
    for arm, control in ((Arm(100, 100), Arm(100, 0)), (Arm(7, 3), Arm(900, 1)), (Arm(1, 1), Arm(1, 0))):
        one, other = compare(arm, control), compare(control, arm)
        low, high = one["interval"]
        assert -1 <= low <= one["lift"] <= high <= 1
        assert other["interval"] == pytest.approx([-high, -low])

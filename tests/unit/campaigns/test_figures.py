"""What is shown of a campaign adds up, and it is finished only when every planned row is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from kizuna.campaigns.figures import Ledger, figures, state_of
from kizuna.campaigns.store import Launch


def a_launch(state: str = "handed", members: int = 10, handed: int = 10) -> Launch:
    return Launch(1, b"l" * 16, "sale", 1, state, 0, 0, 0, 1, members, handed, b"")


def a_ledger(*launches: Launch, rows: Any = (), decided: int = 10, goals: Any = ()) -> Ledger:
    return Ledger(launches or [a_launch()], rows, {}, decided, goals)


@pytest.mark.parametrize(
    ("status", "launches", "waiting", "state"),
    [
        ("ready", [], 0, "draft"),
        ("paused", [], 0, "paused"),
        ("ready", [a_launch("scheduled", 0, 0)], 0, "scheduled"),
        ("ready", [a_launch("gathering", 0, 0)], 0, "running"),
        ("ready", [a_launch("handing", 10, 2)], 0, "running"),
        ("ready", [a_launch()], 1, "running"),
        ("ready", [a_launch()], 0, "finished"),
        ("ready", [a_launch(), a_launch("scheduled", 0, 0)], 0, "scheduled"),
        ("ready", [a_launch(), a_launch("scheduled", 0, 0)], 3, "running"),
        ("paused", [a_launch("handing", 10, 2)], 4, "paused"),
        ("cancelled", [a_launch("cancelling", 10, 2)], 4, "cancelled"),
        ("ready", [a_launch("cancelled", 10, 2), a_launch()], 0, "finished"),
    ],
)
def test_the_state_in_a_word(status: str, launches: list[Launch], waiting: int, state: str) -> None:
    assert state_of(status, launches, waiting) == state


def test_who_was_handed_out_and_not_decided_about_is_waited_for() -> None:
    rows = [("sent", None, None, 6), ("skipped", "no_consent", None, 1)]
    shown = figures("ready", a_ledger(rows=rows, decided=7), "JPY", has_goal=False)
    assert (shown["planned"], shown["waiting"], shown["state"]) == (10, 3, "running")
    assert (shown["converted"], shown["revenue"], shown["lift"]) == (None, None, None)


def test_two_who_became_one_and_those_never_reached_are_accounted_for() -> None:
    rows = [("sent", None, None, 3), ("skipped", "aborted", None, 1)]
    cancelled = a_launch("cancelled", 10, 5)
    shown = figures("cancelled", a_ledger(cancelled, rows=rows, decided=5), "JPY", has_goal=False)
    assert shown["skipped"] == {"aborted": 6, "duplicate": 1}
    assert shown["planned"] == 3 + sum(shown["skipped"].values())


def test_goals_are_compared_with_the_held_out_and_with_the_first_variant() -> None:
    goals = [
        ("a", False, 100, 20, Decimal("10.50")), ("b", False, 100, 30, Decimal(7)), ("a", True, 20, 1, Decimal(1)),
        ("b", True, 20, 1, Decimal(0)),
    ]  # fmt: skip
    shown = figures("ready", a_ledger(goals=goals), "JPY", has_goal=True)
    assert (shown["converted"], shown["revenue"]) == (50, {"amount": "17.50", "currency": "JPY"})
    lift = shown["lift"]
    assert lift["said"] == {"n": 200, "converted": 50, "rate": 0.25, "revenue": "17.50"}
    assert lift["holdout"] == {"n": 40, "converted": 2, "rate": 0.05, "revenue": "1"}
    assert lift["lift"] == pytest.approx(0.2)
    assert [(each["variant"], each["lift"]) for each in lift["variants"]] == [("a", 0), ("b", pytest.approx(0.1))]


def test_without_a_holdout_there_is_no_lift() -> None:
    shown = figures("ready", a_ledger(goals=[(None, False, 5, 1, Decimal(3))]), "JPY", has_goal=True)
    assert shown["converted"] == 1
    assert shown["lift"]["interval"] is None

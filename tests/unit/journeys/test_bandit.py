from __future__ import annotations

from math import exp, lgamma, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.journeys.bandit import LEAST, WHOLE, best_chances, show_bandits, tally, weights_of
from kizuna.journeys.definition import parse


def beta(a: float, b: float) -> float:
    """The logarithm of the beta function."""
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def second_is_better(drawn: list[int], won: list[int]) -> float:
    """In closed form, for whole numbers."""
    (a1, a2), (b1, b2) = (won[0] + 1, won[1] + 1), (drawn[0] - won[0] + 1, drawn[1] - won[1] + 1)
    terms = (beta(a1 + i, b1 + b2) - log(b2 + i) - beta(1 + i, b2) - beta(a1, b1) for i in range(a2))
    return sum(exp(term) for term in terms)


@pytest.mark.parametrize(
    ("drawn", "won"),
    [([0, 0], [0, 0]), ([1, 1], [1, 0]), ([100, 100], [10, 20]), ([100, 40], [10, 3]), ([1000, 10], [100, 2]),
     ([20_000, 20_000], [1000, 1060]), ([50, 50], [0, 0]), ([50, 50], [50, 50])],
)  # fmt: skip
def test_the_chance_to_be_best_is_that_of_the_closed_form(drawn: list[int], won: list[int]) -> None:
    first, second = best_chances(drawn, won)
    assert second == pytest.approx(second_is_better(drawn, won), abs=2e-3)
    assert first + second == pytest.approx(1)


COUNTS = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), min_size=2, max_size=6)


@settings(max_examples=20, deadline=None)
@given(COUNTS)
def test_weights_are_whole_thousandths_and_no_arm_is_given_up(counts: list[tuple[int, int]]) -> None:
    drawn, won = [w + n for w, n in counts], [w for w, _ in counts]
    found = weights_of(drawn, won)
    assert sum(found) == WHOLE
    assert min(found) >= LEAST
    assert weights_of(drawn, won) == found


def test_an_arm_that_wins_more_gets_more() -> None:
    assert weights_of([0, 0], [0, 0]) == [500, 500]
    better, worse = weights_of([200, 200], [40, 20])
    assert better > 950 > worse
    assert weights_of([200, 200, 200], [40, 20, 20])[0] > 950
    assert sum(weights_of([0] * 100, [0] * 100)) == WHOLE


def test_what_is_shown_has_each_arm_with_what_it_learnt() -> None:
    arms = [{"next": "end"}, {"weight": 3}]
    steps = [{"id": "ab", "split": arms, "bandit": {"goal": "click"}}, {"id": "wait", "delay": "1d"}]
    journey = parse("j", {"entry": {"on": {"api": True}}, "steps": steps})
    counted = {"bandit:2:ab:1:drawn": 7, "bandit:2:ab:1:won": 2, "bandit:1:ab:1:drawn": 100}
    assert tally(counted, 2, "ab", 2, "drawn") == [0, 7]
    shown = show_bandits(journey, 2, counted, {"ab": {"version": 2, "weights": [100, 900]}})
    assert shown == {
        "ab": {
            "goal": "click",
            "arms": [
                {"next": "end", "weight": 100, "drawn": 0, "won": 0},
                {"next": "wait", "weight": 900, "drawn": 7, "won": 2},
            ],
        }
    }
    assert [arm["weight"] for arm in show_bandits(journey, 3, {}, {"ab": {"version": 2}})["ab"]["arms"]] == [250, 750]

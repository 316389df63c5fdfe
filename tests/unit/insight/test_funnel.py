"""Funnels against published levels, and against a search that tries every chain."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.core.clock import SECOND, Duration
from kizuna.insight.funnel import Moment, longest_chain

DATA = Path(__file__).parents[4] / "shared" / "data" / "analytics-expected" / "funnel_windowfunnel.json"


def level(events: list[tuple[int, Any]], steps: list[Any], window: int, order: Any = "ordered") -> int:
    told: list[Moment] = [
        (at * SECOND, sum(1 << place for place, step in enumerate(steps) if step == name)) for at, name in events
    ]
    return len(longest_chain(told, len(steps), Duration(exact=window * SECOND), order)[0])


@pytest.mark.skipif(not DATA.is_file(), reason="the published levels lie beside the repository")
def test_the_published_levels() -> None:
    seen = 0
    for case in json.loads(DATA.read_text())["cases"]:
        for each in case.get("cases", []):
            events = [(at, name) for at, name in case["events"]]
            assert level(events, each["steps"], each["window"]) == each["level"], (case["name"], each)
            seen += 1
        for user, events in case.get("events_by_user", {}).items():
            assert level([tuple(e) for e in events], case["steps"], case["window"]) == case["level"][user]
            seen += 1
    assert seen > 10


def test_strict_allows_repeats_of_the_step_just_done_and_nothing_else() -> None:
    assert level([(0, "a"), (1, "a"), (2, "b")], ["a", "b"], 10, "strict") == 2
    assert level([(0, "a"), (1, "x"), (2, "b")], ["a", "b"], 10, "strict") == 1
    assert level([(0, "a"), (1, "b"), (2, "a"), (3, "c")], ["a", "b", "c"], 10, "strict") == 2
    assert level([(0, "a"), (1, "b"), (2, "b"), (3, "c")], ["a", "b", "c"], 10, "strict") == 3


def test_any_order_counts_steps_from_whichever_came_first() -> None:
    assert level([(0, "b"), (1, "a")], ["a", "b"], 10, "any") == 2
    assert level([(0, "b"), (11, "a")], ["a", "b"], 10, "any") == 1


def test_one_event_serves_one_step() -> None:
    assert level([(0, "a")], ["a", "a"], 10) == 1
    assert level([(0, "a"), (0, "a")], ["a", "a"], 10) == 2


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from("abx")), max_size=9),
    st.lists(st.sampled_from("ab"), min_size=1, max_size=4),
    st.integers(0, 8),
)
def test_the_longest_chain_is_the_best_of_all(events: list[tuple[int, str]], steps: list[str], window: int) -> None:
    events.sort(key=lambda event: event[0])
    best = 0
    for length in range(1, min(len(events), len(steps)) + 1):
        for places in combinations(range(len(events)), length):
            names = [events[place][1] for place in places]
            if names == steps[:length] and events[places[-1]][0] - events[places[0]][0] <= window:
                best = max(best, length)
    assert level(events, steps, window) == best

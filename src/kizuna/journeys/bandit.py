"""A split that learns: what each arm was drawn for and won, and the weights that follow. Pure, the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import exp, log, prod, sqrt
from typing import Any

from kizuna.journeys.definition import Journey

WHOLE = 1000  # weights are in thousandths
LEAST = 20  # what each arm keeps, so that it is never given up for good
_POINTS = 4000
_WIDE = 8  # standard deviations looked at on each side


def weights_of(drawn: Sequence[int], won: Sequence[int]) -> list[int]:
    """Thousandths by arm: the chance that the arm is the best one (uniform prior), above a floor."""
    least = min(LEAST, WHOLE // (2 * len(drawn)))
    free = WHOLE - least * len(drawn)
    exact = [least + free * chance for chance in best_chances(drawn, won)]
    found = [int(each) for each in exact]
    by_rest = sorted(range(len(exact)), key=lambda arm: (found[arm] - exact[arm], arm))
    for arm in by_rest[: WHOLE - sum(found)]:
        found[arm] += 1
    return found


def best_chances(drawn: Sequence[int], won: Sequence[int]) -> list[float]:
    """For each arm the chance that its true share is the highest, by integrating the Beta posteriors on one grid."""
    lost = [max(0, d - w) for d, w in zip(drawn, won, strict=True)]
    means = [(w + 1) / (w + n + 2) for w, n in zip(won, lost, strict=True)]
    spreads = [sqrt(m * (1 - m) / (w + n + 3)) for m, w, n in zip(means, won, lost, strict=True)]
    low = max(0.0, min(m - _WIDE * s for m, s in zip(means, spreads, strict=True)))
    high = min(1.0, max(m + _WIDE * s for m, s in zip(means, spreads, strict=True)))
    grid = [low + (high - low) * (point + 0.5) / _POINTS for point in range(_POINTS)]
    densities = [_density(grid, w, n) for w, n in zip(won, lost, strict=True)]
    below = [[total - each / 2 for total, each in zip(accumulate(d), d, strict=True)] for d in densities]
    chances = [
        sum(
            each * prod(other[point] for rival, other in enumerate(below) if rival != arm)
            for point, each in enumerate(density)
            if each
        )
        for arm, density in enumerate(densities)
    ]
    whole = sum(chances)
    return [each / whole for each in chances]


def _density(grid: Sequence[float], won: int, lost: int) -> list[float]:
    logs = [won * log(x) + lost * log(1 - x) for x in grid]
    top = max(logs)
    raw = [exp(each - top) for each in logs]
    whole = sum(raw)
    return [each / whole for each in raw]


def tally(counted: Mapping[str, int], version: int, step: str, arms: int, what: str) -> list[int]:
    """By arm, of the journey's counters without their beginning."""
    return [counted.get(f"bandit:{version}:{step}:{arm}:{what}", 0) for arm in range(arms)]


def show_bandits(
    journey: Journey, version: int, counted: Mapping[str, int], ruling: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """`{step: {goal, arms: [{next, weight, drawn, won}]}}`; `ruling` are the definitions that rule, by step."""
    shown: dict[str, Any] = {}
    for node in journey.steps.values():
        bandit = getattr(node.settings, "bandit", None)
        if bandit is None:
            continue
        arms = node.settings.arms
        known = ruling.get(node.id, {})
        weights = known["weights"] if known.get("version") == version else [round(each.weight, 1) for each in arms]
        drawn, won = (tally(counted, version, node.id, len(arms), what) for what in ("drawn", "won"))
        lines = zip(arms, weights, drawn, won, strict=True)
        shown[node.id] = {
            "goal": bandit.goal,
            "arms": [{"next": a.next or node.next, "weight": w, "drawn": d, "won": n} for a, w, d, n in lines],
        }
    return shown

"""Harm against its limits: at the limit is too much, and little mail says little."""

from __future__ import annotations

import pytest

from kizuna.campaigns.guard import Seen, Verdict, judge
from kizuna.messages.policy import Limits


def seen(delivered: int = 0, tried: int = 0, complaints: int = 0, bounces: int = 0, refusals: int = 0) -> Seen:
    return Seen(delivered, tried or delivered, complaints, bounces, 0, refusals)


@pytest.mark.parametrize(
    ("what", "verdict"),
    [
        (seen(1000, complaints=1), Verdict("pause", "complaints", 0.001, 0.001)),
        (seen(1001, complaints=1), None),
        (seen(999, complaints=999), None),
        (seen(2000, complaints=5), Verdict("stop", "complaints", 0.0025, 0.0025)),
        (seen(2001, complaints=5), Verdict("pause", "complaints", 5 / 2001, 0.001)),
        (seen(95, tried=100, bounces=5), Verdict("pause", "hard_bounces", 0.05, 0.05)),
        (seen(95, tried=101, bounces=5), None),
        (seen(0, tried=99, bounces=99), None),
        (seen(190, tried=200, refusals=10), Verdict("stop", "refusals", 0.05, 0.05)),
        (seen(191, tried=201, refusals=10), None),
        (seen(0, tried=9, refusals=9), None),
        (seen(5000), None),
    ],
)
def test_limits_of_harm(what: Seen, verdict: Verdict | None) -> None:
    assert judge(what, Limits()) == verdict


def test_the_policy_sets_the_limits() -> None:
    strict = Limits(complaints_pause=0.5, complaints_stop=0.9, complaints_over=2)
    assert judge(seen(2, complaints=1), strict) == Verdict("pause", "complaints", 0.5, 0.5)
    assert judge(seen(1, complaints=1), strict) is None

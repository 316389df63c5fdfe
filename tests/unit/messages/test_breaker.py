from __future__ import annotations

import pytest

from kizuna.messages.breaker import MOST_ASKED, MOST_SECONDS, Breaker
from kizuna.providers import Accepted, Ambiguous, Outcome, Rejected, Unavailable

DOWN = Unavailable("500")


def test_it_rests_longer_after_each_failure_up_to_a_minute() -> None:
    breaker, now, rests = Breaker(), 100.0, []
    for _ in range(9):
        breaker = breaker.after(DOWN, now)
        rests.append(breaker.rests_until - now)
        now = breaker.rests_until
    assert rests == [1, 2, 4, 8, 16, 32, MOST_SECONDS, MOST_SECONDS, MOST_SECONDS]


def test_when_the_rest_is_over_one_message_asks_and_its_answer_decides() -> None:
    breaker = Breaker().after(DOWN, 100.0)
    assert breaker.is_open(100.9)
    assert not breaker.is_open(101.0)
    assert breaker.is_probing
    assert breaker.after(Accepted(), 101.0) == Breaker()
    assert breaker.after(DOWN, 101.0).is_open(102.9)


@pytest.mark.parametrize("outcome", [Accepted(), Rejected("550"), Ambiguous("lost"), Unavailable("450", of_one=True)])
def test_what_is_about_one_message_is_no_failure_of_the_provider(outcome: Outcome) -> None:
    assert Breaker(3, 100.0).after(outcome, 100.0) == Breaker()


def test_what_was_under_way_when_it_opened_changes_nothing() -> None:
    breaker = Breaker(1, 101.0)
    for outcome in (DOWN, Accepted()):
        assert breaker.after(outcome, 100.5) is breaker


def test_a_wait_that_is_asked_for_is_obeyed_within_reason() -> None:
    assert Breaker().after(Unavailable("429", 17), 100.0).rests_until == 117.0
    assert Breaker().after(Unavailable("429", 10**9), 100.0).rests_until == 100.0 + MOST_ASKED


def test_a_clock_that_only_moves_when_told_is_not_waited_for() -> None:
    breaker = Breaker(20, 100.0).after(Unavailable("429", 17), 100.0, longest=1.0)
    assert breaker.rests_until == 101.0


def test_senders_do_not_come_back_all_at_once() -> None:
    rests = {Breaker(5, 0.0).after(DOWN, 0.0, spread=spread).rests_until for spread in (0.0, 0.5, 1.0)}
    assert rests == {16.0, 24.0, 32.0}

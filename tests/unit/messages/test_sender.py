"""How long the sender waits between its turns."""

from __future__ import annotations

from kizuna.messages.sender import BETWEEN_SMALL, BETWEEN_TURNS, LOCAL_BATCH, SMALL, fitting, pause_of


def test_a_turn_of_few_is_followed_sooner() -> None:
    assert [pause_of(taken) for taken in (1, SMALL - 1)] == [BETWEEN_SMALL] * 2
    assert [pause_of(taken) for taken in (SMALL, LOCAL_BATCH)] == [BETWEEN_TURNS] * 2
    assert BETWEEN_SMALL < BETWEEN_TURNS


def test_a_thread_takes_what_it_carries_in_a_second() -> None:
    assert fitting(50, 0.3, most=50) == 50
    assert fitting(50, 2.0, most=50) == 25
    assert fitting(5, 10.0, most=50) == 1
    assert fitting(1, 0.01, most=50) == 50

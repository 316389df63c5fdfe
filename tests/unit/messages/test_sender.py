"""How long the sender waits between its turns."""

from __future__ import annotations

from kizuna.messages.sender import BETWEEN_SMALL, BETWEEN_TURNS, LOCAL_BATCH, SMALL, pause_of


def test_a_turn_of_few_is_followed_sooner() -> None:
    assert [pause_of(taken) for taken in (1, SMALL - 1)] == [BETWEEN_SMALL] * 2
    assert [pause_of(taken) for taken in (SMALL, LOCAL_BATCH)] == [BETWEEN_TURNS] * 2
    assert BETWEEN_SMALL < BETWEEN_TURNS

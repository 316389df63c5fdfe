from __future__ import annotations

from kizuna.messages.touch_ration import MOST, SECONDS, TouchRation


def test_so_many_of_each_state_of_a_message_are_written_in_an_hour() -> None:
    now = 5.0
    ration = TouchRation(lambda: now)
    taken = [ration.takes(b"a", "clicked") for _ in range(MOST + 5)]
    assert taken == [True] * MOST + [False] * 5
    assert ration.takes(b"a", "opened")
    assert ration.takes(b"b", "clicked")
    now += SECONDS
    assert ration.takes(b"a", "clicked")


def test_what_it_remembers_is_bounded_and_nobody_is_refused_for_it() -> None:
    ration = TouchRation(lambda: 0.0, most_counted=2)
    assert all(ration.takes(bytes([number]), "opened") for number in range(200))

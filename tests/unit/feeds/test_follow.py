from __future__ import annotations

from kizuna.feeds.follow import WAITS, wait_after


def test_ten_tries_take_a_day() -> None:
    assert 22 < sum(WAITS) / 3_600 < 24
    assert len(WAITS) + 1 == 10


def test_waits_are_spread_and_what_they_ask_is_obeyed() -> None:
    assert [wait_after(0, None, spread=spread) for spread in (0.0, 1.0)] == [1.0, 2.0]
    assert wait_after(99, None, spread=1.0) == WAITS[-1]
    assert wait_after(0, 60, spread=0.0) == 60

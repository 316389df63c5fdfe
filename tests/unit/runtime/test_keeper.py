"""A child that ends is started again, later each time when it ends at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kizuna.runtime.keeper import LONGEST_DELAY, Child, Keeper, describe


def short_lived() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-S", "-c", "raise SystemExit(3)"])


def test_ends_are_told_and_delays_grow() -> None:
    said: list[str] = []
    keeper, child = Keeper(said.append), Child("work", short_lived)
    keeper.add(child)
    delays = []
    for _ in range(3):
        assert child.process is not None
        child.process.wait()
        delays.append(keeper.turn())
        child.due_at = 0.0  # as if the time had passed
        keeper.turn()
    assert child.process is not None
    child.process.wait()
    assert [round(delay, 1) for delay in delays if delay is not None] == [0.1, 0.2, 0.4]
    assert said[0] == "work ended (exit code 3): again in 0.1 s"


def test_a_decent_life_is_started_again_at_once() -> None:
    child = Child("work", short_lived)
    keeper = Keeper(lambda _: None)
    keeper.add(child)
    assert child.process is not None
    first = child.process
    first.wait()
    child.started_at -= 60
    assert keeper.turn() is None
    assert child.process is not first
    child.process.wait()


def test_delays_have_an_end() -> None:
    child = Child("work", short_lived)
    child.ended_at_once = 50
    assert child.delay == LONGEST_DELAY


@pytest.mark.parametrize(("code", "words"), [(1, "exit code 1"), (-9, "signal 9")])
def test_exit_codes_in_words(code: int, words: str) -> None:
    assert describe(code) == words

"""A provider's pace: turns at its rate, what is urgent before what waits longer, and a rest for all."""

from __future__ import annotations

import threading
import time

import pytest

from kizuna.messages.pace import Pace
from kizuna.messages.rests import Rests
from kizuna.providers import Accepted, Unavailable


@pytest.fixture
def stopped() -> threading.Event:
    return threading.Event()


def test_without_a_rate_nobody_waits(stopped: threading.Event) -> None:
    pace = Pace(Rests())
    assert all(pace.take(0, stopped, is_urgent=False) for _ in range(100))


def test_what_is_urgent_has_the_next_turn_however_many_wait(stopped: threading.Event) -> None:
    pace, order = Pace(Rests()), list[str]()
    pace.take(5, stopped, is_urgent=False)

    def wait(name: str, *, is_urgent: bool) -> None:
        assert pace.take(5, stopped, is_urgent=is_urgent)
        order.append(name)

    sales = [threading.Thread(target=wait, args=(f"sale {n}",), kwargs={"is_urgent": False}) for n in range(3)]
    waiting = [*sales, threading.Thread(target=wait, args=("code",), kwargs={"is_urgent": True})]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join(10)
    assert (order[0], len(order)) == ("code", 4)


def test_turns_come_at_the_rate(stopped: threading.Event) -> None:
    pace, began = Pace(Rests()), time.monotonic()
    for _ in range(11):
        pace.take(100, stopped, is_urgent=False)
    assert time.monotonic() - began >= 0.1


def test_a_rest_is_for_all_of_them(stopped: threading.Event) -> None:
    pace = Pace(Rests())
    assert pace.heed(Unavailable("429", retry_after=30)) > 29
    assert not pace.is_open
    assert not pace.take(0, stopped, is_urgent=True)
    assert pace.heed(Accepted()) == 0  # it was under way
    assert not pace.is_open


def test_the_end_of_all_ends_the_wait(stopped: threading.Event) -> None:
    pace = Pace(Rests())
    pace.take(0.001, stopped, is_urgent=False)
    thread = threading.Thread(target=pace.take, args=(0.001, stopped), kwargs={"is_urgent": False})
    thread.start()
    stopped.set()
    thread.join(10)
    assert not thread.is_alive()

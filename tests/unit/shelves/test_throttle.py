from __future__ import annotations

import pytest

from kizuna.core.errors import TooMany
from kizuna.shelves.throttle import ADDRESS_BURST, ADDRESS_RATE, WORKSPACE_BURST, Throttle

OFFICE, HOME, PROXY = "203.0.114.7", "2001:4860:4860::8888", "10.0.0.1"


class Watch:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def ask(throttle: Throttle, times: float, address: str, workspace: int = 1) -> None:
    for _ in range(int(times)):
        throttle.check(workspace, address)


def test_an_address_that_comes_too_often_waits_and_no_other_does() -> None:
    watch = Watch()
    throttle = Throttle(watch)
    ask(throttle, ADDRESS_BURST, OFFICE)
    with pytest.raises(TooMany):
        throttle.check(1, OFFICE)
    ask(throttle, 1, HOME)
    ask(throttle, 1, OFFICE, workspace=2)
    watch.now += 1
    ask(throttle, ADDRESS_RATE, OFFICE)
    with pytest.raises(TooMany):
        throttle.check(1, OFFICE)


def test_all_who_come_through_a_proxy_share_what_the_workspace_has() -> None:
    throttle = Throttle(Watch())
    ask(throttle, WORKSPACE_BURST, PROXY)
    with pytest.raises(TooMany):
        throttle.check(1, "")
    ask(throttle, 1, PROXY, workspace=2)

from __future__ import annotations

from collections.abc import Callable

import pytest

from kizuna.profiles.device import Device
from kizuna.providers import Accepted, Ambiguous, Delivery, Outcome, Rejected, Unavailable
from kizuna.providers.fan_out import FAN_OUT_SECONDS, fan_out, joined

ALL = frozenset({"ios", "android"})


def delivery(*tokens: str, kind: str = "ios") -> Delivery:
    devices = [Device(kind, token) for token in tokens]
    return Delivery(
        message="msg_1", channel="push", address="", subject="Hi", text="x", html=None, headers={}, at=0,
        devices=devices,
    )  # fmt: skip


def answering(**outcomes: Outcome) -> tuple[list[str], Callable[[Delivery], Outcome]]:
    asked: list[str] = []

    def carry(given: Delivery) -> Outcome:
        asked.append(given.address)
        return outcomes[given.address]

    return asked, carry


def test_each_device_is_asked_the_one_seen_last_first() -> None:
    asked, carry = answering(a=Rejected("x"), b=Accepted("ref"))
    assert fan_out(delivery("a", "b"), [(ALL, carry)]) == Accepted("ref", [])
    assert asked == ["b", "a"]


def test_a_kind_goes_to_the_first_that_reaches_it() -> None:
    asked, carry = answering(a=Accepted())
    other, never = answering()
    fan_out(delivery("a"), [(frozenset({"web"}), never), (ALL, carry), (ALL, never)])
    assert (asked, other) == (["a"], [])
    assert fan_out(delivery("a", kind="web"), [(ALL, never)]) == Rejected("no_provider: none that reaches web", gone=[])


@pytest.mark.parametrize(
    ("outcomes", "kind"),
    [
        ([Rejected("r", gone=["d1"]), Unavailable("u"), Ambiguous("m"), Accepted("ok", gone=["d2"])], Accepted),
        ([Rejected("r", gone=["d1"]), Unavailable("u", gone=["d2"]), Ambiguous("m")], Ambiguous),
        ([Rejected("r", gone=["d1"]), Unavailable("u", 5, gone=["d2"])], Unavailable),
        ([Rejected("r", gone=["d1"]), Rejected("s", gone=["d2"])], Rejected),
    ],
)
def test_the_best_outcome_is_the_messages_and_all_that_are_gone_are_named(
    outcomes: list[Outcome], kind: type[Outcome]
) -> None:
    found = joined(outcomes)
    assert isinstance(found, kind)
    assert list(found.gone) == ["d1", "d2"]


def test_without_devices_nobody_is_reached() -> None:
    assert fan_out(delivery(), []) == Rejected("no_address")


def test_it_ends_within_the_lease_however_slow_they_are() -> None:
    times = iter((0.0, FAN_OUT_SECONDS))
    asked, carry = answering(a=Rejected("x"), b=Rejected("x"))
    assert isinstance(fan_out(delivery("a", "b"), [(ALL, carry)], lambda: next(times)), Unavailable)
    assert asked == ["b"]

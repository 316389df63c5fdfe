from __future__ import annotations

from typing import Any

from kizuna.profiles.device import Device
from kizuna.providers import Accepted, Delivery, Outcome, Rejected, Unavailable, all_providers
from kizuna.providers.carry import bearer
from kizuna.providers.signed import encode
from kizuna.testing.push_service import Browser

WEBPUSH = {"kind": "webpush", "settings": {"subject": "mailto:a@b.c", "private_key": encode(bytes(31) + b"\x01")}}
UNSET: dict[str, Any] = {"kind": "apns", "settings": {}}
OUTBOX: dict[str, Any] = {"kind": "outbox"}


def carried(carrier: dict[str, Any], *devices: Device) -> Outcome:
    said = Delivery(
        message="msg_1", channel="push", address="x", subject="Hi", text="x", html=None, headers={}, at=0,
        devices=devices,
    )  # fmt: skip
    outcome = bearer([b"secret"], 1, carrier)(said)
    all_providers()["webpush"].close()
    return outcome


def test_each_device_goes_to_the_provider_that_reaches_it() -> None:
    web = Device("web", Browser("https://127.0.0.1/1").subscription)
    refused = carried({**UNSET, "beside": [OUTBOX, WEBPUSH]}, web)
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith("target_refused")
    assert list(refused.gone) == [web.id]
    assert isinstance(carried({**WEBPUSH, "beside": [UNSET]}, Device("ios", "t1")), Unavailable)


def test_a_device_that_no_provider_reaches_is_said_so() -> None:
    assert carried(WEBPUSH, Device("ios", "t1")) == Rejected("no_provider: none that reaches ios", gone=[])


def test_other_providers_carry_alone() -> None:
    assert carried({**OUTBOX, "beside": [WEBPUSH]}, Device("ios", "t1")) == Accepted()
    assert isinstance(carried({"kind": "pigeon"}), Unavailable)

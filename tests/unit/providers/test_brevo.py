from __future__ import annotations

import json
from email.header import decode_header, make_header

import pytest

from kizuna.providers import Delivery
from kizuna.providers.brevo import Settings, provider


@pytest.mark.parametrize("name", ["Shop", "Shop, Inc.", "秋の店", "秋の店, 東京"])
def test_every_name_arrives(name: str) -> None:
    delivery = Delivery(
        message="msg_1", channel="email", address="a@b.example", subject="Hi", text="Hi", html=None, headers={}, at=0.0
    )
    call = provider.call(delivery, Settings(key="k", sender=f"{name} <news@shop.example>"), 0.0)
    sender = json.loads(call.body)["sender"]
    assert sender["email"] == "news@shop.example"
    assert str(make_header(decode_header(sender["name"]))) == name
    assert sender["name"].isascii() or "," not in sender["name"]

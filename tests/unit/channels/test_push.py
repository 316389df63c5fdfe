from __future__ import annotations

from kizuna.channels import address_of, all_channels
from kizuna.channels.push import channel
from kizuna.profiles.device import Device


def test_the_address_is_all_devices_without_their_tokens() -> None:
    devices = [Device("ios", "t1"), Device("android", "t2")]
    address = address_of(channel, {}, devices)
    assert address == f"{devices[1].id}, {devices[0].id}"
    assert channel.is_valid(address)
    assert channel.address({"email": "ada@example.com"}) is None


def test_without_devices_there_is_none() -> None:
    assert address_of(channel, {}, []) is None


def test_other_channels_look_at_traits() -> None:
    email = all_channels()["email"]
    assert address_of(email, {"email": "ada@example.com"}, [Device("ios", "t1")]) == "ada@example.com"

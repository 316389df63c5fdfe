from __future__ import annotations

import pytest

from kizuna.channels import KnowsByTrait, address_of, all_channels, best_channels

FRIEND = "U4af4980629a1b2c3d4e5f60718293a4b"
channel = all_channels()["line"]


def test_the_address_is_the_trait() -> None:
    assert address_of(channel, {"line_id": f" {FRIEND} "}, []) == FRIEND
    assert [address_of(channel, each, []) for each in ({}, {"line_id": ""}, {"line_id": 7})] == [None] * 3
    assert isinstance(channel, KnowsByTrait)


@pytest.mark.parametrize(
    "wrong", ["", "ada", FRIEND[1:], FRIEND + "0", FRIEND.replace("U", "C"), FRIEND.upper(), FRIEND + "\n"]
)
def test_only_ids_of_users_are_valid(wrong: str) -> None:
    assert channel.is_valid(FRIEND)
    assert not channel.is_valid(wrong)


def test_best_never_chooses_it() -> None:
    assert best_channels() == ["email", "push", "sms"]

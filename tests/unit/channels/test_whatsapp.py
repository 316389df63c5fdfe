from __future__ import annotations

import pytest

from kizuna.channels import address_of, all_channels

channel = all_channels()["whatsapp"]


def test_the_address_is_the_phone() -> None:
    assert address_of(channel, {"phone": " +819012345678 "}, []) == "+819012345678"
    assert [address_of(channel, each, []) for each in ({}, {"phone": " "}, {"phone": 81})] == [None] * 3


@pytest.mark.parametrize(
    "wrong", ["", "090-1234-5678", "819012345678", "+0123456789", "+81 90", "+" + "1" * 16, "+٣٣٣٣٣٣٣٣"]
)
def test_only_numbers_as_whatsapp_tells_them_are_valid(wrong: str) -> None:
    assert channel.is_valid("+819012345678")
    assert not channel.is_valid(wrong)

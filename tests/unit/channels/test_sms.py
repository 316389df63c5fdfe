from __future__ import annotations

import pytest

from kizuna.channels.sms import channel


@pytest.mark.parametrize(
    ("phone", "address"),
    [
        ("+81 90-1234-5678", "+819012345678"), (" +1 (415) 555.0100 ", "+14155550100"),
        ("+44 20 7946 0018", "+442079460018"), ("＋８１９０１２３４５６７８", "+819012345678"),
        ("+81ー90−1234‐5678", "+819012345678"),
    ],
)  # fmt: skip
def test_the_address_is_the_trait_as_e164_writes_it(phone: str, address: str) -> None:
    assert channel.address({"phone": phone}) == address
    assert channel.is_valid(address)


def test_a_national_number_of_japan_is_read_where_the_country_says_so() -> None:
    assert channel.address({"phone": "090-1234-5678", "country": "jp"}) == "+819012345678"
    assert channel.address({"phone": "03-1234-5678", "address": {"country": "JP"}}) == "+81312345678"
    for traits in ({}, {"country": "FR"}, {"country": 7}, {"address": "Tokyo"}):
        address = channel.address({"phone": "090-1234-5678", **traits})
        assert address == "09012345678"
        assert not channel.is_valid(address)


@pytest.mark.parametrize("traits", [{}, {"phone": 5}, {"phone": " - "}, {"phone": None}])
def test_without_a_number_there_is_no_address(traits: dict[str, object]) -> None:
    assert channel.address(traits) is None


@pytest.mark.parametrize(
    "address",
    ["", "+", "+0123456789", "819012345678", "+123456", "+1234567890123456", "+1415555010x", "+1415\n5550100"],
)
def test_addresses_that_cannot(address: str) -> None:
    assert not channel.is_valid(address)

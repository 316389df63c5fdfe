from __future__ import annotations

import pytest

from kizuna.channels.email import channel


@pytest.mark.parametrize(
    "address", ["ada@example.com", "a.b+c@sub.example.co.jp", "ada@例え.jp", "用户@example.com", "o'b@x.io"]
)
def test_addresses_that_exist(address: str) -> None:
    assert channel.is_valid(address)


BAD = [
    "", "ada", "@example.com", "ada@", "a b@example.com", "ada@example.com\r\nBcc: x@y.z", "ada@-x.com",
    "a..b@example.com", "ada@example..com", "a@b@c.com", "<ada@example.com>", "x" * 65 + "@example.com",
    "a\x00@example.com",
]  # fmt: skip


@pytest.mark.parametrize("address", BAD)
def test_addresses_that_cannot(address: str) -> None:
    assert not channel.is_valid(address)


def test_the_address_is_the_trait() -> None:
    assert channel.address({"email": " ada@example.com "}) == "ada@example.com"
    assert channel.address({"email": 5}) is None
    assert channel.address({}) is None

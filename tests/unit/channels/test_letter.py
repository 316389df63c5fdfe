from __future__ import annotations

from kizuna.channels import all_channels, best_channels, key_of
from kizuna.channels.letter import channel

TRAITS = {"name": "Ada", "address": {"street": "Weg 1", "city": "Bonn", "postalCode": "53111", "country": "DE"}}


def test_the_address_is_that_of_the_traits() -> None:
    address = channel.address(TRAITS)
    assert address is not None
    assert channel.is_valid(address)
    assert channel.address({"name": "Ada"}) is None
    assert not channel.is_valid("nowhere")


def test_it_is_suppressed_by_a_key_that_names_nobody() -> None:
    address = channel.address(TRAITS) or ""
    key = key_of("letter", address)
    assert "ada" not in key
    assert key == key_of("letter", address.upper().replace("WEG 1", "WEG  1"))
    assert key != key_of("letter", address.replace("Ada", "Bob"))  # who lives there now
    assert key_of("email", "Ada@Example.com") == "ada@example.com"


def test_best_chooses_neither_paper_nor_people() -> None:
    assert {"letter", "call"} <= set(all_channels())
    assert not {"letter", "call"} & set(best_channels())

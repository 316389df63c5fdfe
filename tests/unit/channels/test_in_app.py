from __future__ import annotations

from kizuna.channels import address_of, all_channels, best_channels, expires_of, in_page_channels
from kizuna.channels.in_app import channel
from kizuna.core import ids


def test_whoever_has_a_record_is_reached() -> None:
    address = address_of(channel, {}, [], b"p" * 16)
    assert address == ids.show("prf", b"p" * 16)
    assert channel.is_valid(address)
    assert not channel.is_valid("ada@example.com")


def test_it_is_chosen_by_name_only() -> None:
    assert in_page_channels() == ["banner", "card", "in_app", "inbox"]
    assert not set(in_page_channels()) & set(best_channels())


def test_cards_and_inbox_last_longer() -> None:
    assert {name: expires_of(name) for name in all_channels() if expires_of(name) != "72h"} == {
        "card": "30d",
        "inbox": "30d",
    }

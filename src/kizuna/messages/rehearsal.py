"""Test sends: real mails to members and seed lists, marked as what they are. Pure.

What they need rides in the message's `data` under a name of our own: the mark of their subject, and the customer whom
they are shown as. Of a copy of a campaign that is a customer's id, so that what is kept of it says nothing of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from kizuna.core import exact_json, ids
from kizuna.core.errors import Invalid
from kizuna.engine.moment import Item
from kizuna.messages.fold import SAY
from kizuna.messages.message import TEST, Claimed

HEADER: Mapping[str, str] = {"X-Kizuna-Test": "yes"}
COPY_HEADER = "X-Kizuna-Seed"  # the launch that it is a copy of
MARK = "[Test] "
LONGEST_MARK = 50
OURS = "kizuna_test"


class CopyOf(Struct, frozen=True):
    """What a mail to a seed is a copy of, and as whom it is written."""

    campaign: str
    launch: str
    variant: str | None
    sample: bytes  # id of the customer whose traits it shows
    locale: str  # the wording it shows; empty: the default


def item_of(workspace: int, address: str, said: Mapping[str, Any], now: int, item_id: str) -> Item:
    """It belongs to a record of its own, that is no customer's: two at once are not taken for one another."""
    properties = exact_json.encode({**said, "to": address, "transactional": True, "test": True})
    profile = ids.profile_id(workspace, TEST, item_id)
    return Item(profile=profile, id=item_id, type=SAY, timestamp=now, properties=properties, received_at=now)


def packed(data: Mapping[str, Any], mark: str, traits: Mapping[str, Any]) -> dict[str, Any]:
    return {**data, OURS: {"mark": mark, "traits": traits}}


def packed_copy(data: Mapping[str, Any], mark: str, copy: CopyOf) -> dict[str, Any]:
    of = {"campaign": copy.campaign, "launch": copy.launch, "variant": copy.variant}
    return {**data, OURS: {"mark": mark, "sample": ids.show("prf", copy.sample), "locale": copy.locale, "of": of}}


def is_marked_well(mark: str) -> bool:
    return len(mark) <= LONGEST_MARK and mark.isprintable()


def marked(message: Claimed, subject: str | None) -> str | None:
    if not message.is_test or subject is None:
        return subject
    return _ours(message).get("mark", MARK) + subject


def shown_as(message: Claimed) -> dict[str, Any]:
    """The traits that it is written for; of a message to an address alone there are none."""
    return _ours(message).get("traits", {})


def sample_of(message: Claimed) -> tuple[bytes, str] | None:
    """The customer that a copy is written for, and the locale it shows."""
    ours = _ours(message)
    try:
        return (ids.read("prf", ours["sample"]), ours["locale"]) if "sample" in ours else None
    except Invalid:
        return None


def part_of(message: Claimed) -> dict[str, Any]:
    """Of a copy `campaign`, `launch` and `variant`, which the ledger counts only for customers."""
    return _ours(message).get("of", {})


def headers(message: Claimed) -> dict[str, str]:
    of = part_of(message)
    return {**HEADER, COPY_HEADER: of["launch"]} if of else dict(HEADER)


def data_of(message: Claimed) -> dict[str, Any]:
    """As the template sees it."""
    return {name: value for name, value in message.data.items() if name != OURS} if message.is_test else message.data


def _ours(message: Claimed) -> dict[str, Any]:
    return message.data.get(OURS, {}) if message.is_test else {}

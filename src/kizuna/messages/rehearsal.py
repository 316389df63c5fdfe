"""Test sends: real mails to members and seed lists, marked as what they are. Pure.

What they need rides in the message's `data` under a name of our own: the mark of their subject, and the traits of the
customer they are shown as.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kizuna.messages.message import Claimed

HEADER: Mapping[str, str] = {"X-Kizuna-Test": "yes"}
MARK = "[Test] "
LONGEST_MARK = 50
_OURS = "kizuna_test"


def packed(data: Mapping[str, Any], mark: str, traits: Mapping[str, Any]) -> dict[str, Any]:
    return {**data, _OURS: {"mark": mark, "traits": traits}}


def marked(message: Claimed, subject: str | None) -> str | None:
    if not message.is_test or subject is None:
        return subject
    return message.data.get(_OURS, {}).get("mark", MARK) + subject


def shown_as(message: Claimed) -> dict[str, Any]:
    """The traits that it is written for; of a message to an address alone there are none."""
    return message.data.get(_OURS, {}).get("traits", {}) if message.is_test else {}


def data_of(message: Claimed) -> dict[str, Any]:
    """As the template sees it."""
    return {name: value for name, value in message.data.items() if name != _OURS} if message.is_test else message.data

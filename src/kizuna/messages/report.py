"""Reports: what happened to a message, as items of the log."""

from __future__ import annotations

import os
from typing import Any, Protocol

from kizuna.core import clock, exact_json, ids
from kizuna.engine.moment import Item
from kizuna.messages.message import Claimed
from kizuna.profiles.fold import GONE


def of_sender(message: Claimed, profile: bytes, state: str, at: int, **more: Any) -> Item:
    """What the sender did; derived from the message, its state and the attempt."""
    said = _told(message) | {name: value for name, value in more.items() if value}
    raw = ids.derive("report", message.id, state, message.attempts)
    return _item(profile, ids.show("evt", raw), state, at, said, message.caused_by or "")


def of_deferral(message: Claimed, profile: bytes, until: int, at: int) -> Item:
    """Handed back by the claim, to go at `until`; each time it is put off is another report."""
    said = _told(message) | {"due_at": clock.show(until)}
    raw = ids.derive("report", message.id, "deferred", until)
    return _item(profile, ids.show("evt", raw), "deferred", at, said, message.caused_by or "")


def of_device(message: Claimed, profile: bytes, device: str, at: int, reason: str) -> Item:
    """A push service says that nobody is there any more."""
    said = exact_json.encode({"device": device, "message": ids.show("msg", message.id), "reason": reason})
    raw = ids.derive("report", message.id, device, message.attempts)
    return Item(
        profile=profile, id=ids.show("evt", raw), type="report", name=GONE, timestamp=at, properties=said,
        received_at=at, caused_by=message.caused_by or "",
    )  # fmt: skip


def of_customer(
    profile: bytes, state: str, at: int, said: dict[str, Any], item_id: str | None = None, caused_by: str = ""
) -> Item:
    """What the customer or their mail program did; each act is its own."""
    return _item(profile, item_id or new_id(), state, at, said, caused_by)


def new_id() -> str:
    return ids.show("evt", os.urandom(ids.ID_BYTES))


def _told(message: Claimed) -> dict[str, Any]:
    return properties(message) | ({"test": True} if message.is_test else {})


class Named(Protocol):
    """A message with what it was part of: also `template`, `journey`, `run`, `step`, `campaign`, `variant`, `topic`."""

    @property
    def id(self) -> bytes: ...
    @property
    def channel(self) -> str: ...


def properties(message: Named) -> dict[str, Any]:
    said = {"message": ids.show("msg", message.id), "channel": message.channel}
    for name in ("template", "journey", "run", "step", "campaign", "variant", "topic"):
        if value := getattr(message, name):
            said[name] = value
    return said


def _item(profile: bytes, item_id: str, state: str, at: int, said: dict[str, Any], caused_by: str) -> Item:
    return Item(
        profile=profile, id=item_id, type="report", name=f"message_{state}", timestamp=at,
        properties=exact_json.encode(said), received_at=at, caused_by=caused_by,
    )  # fmt: skip

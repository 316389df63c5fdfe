"""Devices a customer is reached on: `context.device` of events, kept few."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from kizuna.core import ids
from kizuna.core.clock import DAY
from kizuna.engine.moment import Item

WEB, IOS, ANDROID = "web", "ios", "android"
TYPES = (WEB, IOS, ANDROID)
MOST_DEVICES = 20  # of one profile; the one seen longest ago makes room
LONGEST_TOKEN = 2_048
SHOWN = "device"  # the type of items by which the record of a device hears who it is with
MOVED = "device_moved"  # and of those by which the one who had it hears that it is not theirs any more


class Device(Struct, frozen=True):
    """A token; of a browser its PushSubscription as JSON text."""

    type: str = ""
    token: str = ""
    seen_at: int = 0  # to the day: a record is not written anew for each event

    @property
    def id(self) -> str:
        """Says which device without giving away how to reach it."""
        subscription = subscription_of(self.token) if self.type == WEB else None
        name = subscription.endpoint if subscription else self.token
        return f"{self.type}:{ids.derive('device', self.type, name).hex()[:16]}"


class Keys(Struct, frozen=True):
    p256dh: str
    auth: str


class Subscription(Struct, frozen=True):
    """A PushSubscription as browsers write it."""

    endpoint: str
    keys: Keys


def subscription_of(token: str) -> Subscription | None:
    try:
        return msgspec.json.decode(token, type=Subscription)
    except (msgspec.DecodeError, UnicodeError):
        return None


def shown(context: dict[str, Any], at: int) -> Device | None:
    """The device that an event came from, where it can be reached."""
    said = context.get("device")
    if not isinstance(said, dict):
        return None
    token, kind = said.get("token"), str(said.get("type") or "").lower()
    if not isinstance(token, str) or not 0 < len(token) <= LONGEST_TOKEN or kind not in TYPES:
        return None
    if kind == WEB and subscription_of(token) is None:
        return None
    return Device(kind, token, at)


def seen(kept: list[Device], device: Device) -> tuple[list[Device], bool, Device | None]:
    """The devices once one was seen: whether it is new among them, and which one made room."""
    for index, each in enumerate(kept):
        if each.token == device.token and each.type == device.type:
            if device.seen_at - each.seen_at < DAY:
                return kept, False, None
            return [*kept[:index], *kept[index + 1 :], device], False, None
    name = device.id
    others = [each for each in kept if each.id != name]
    is_new = len(others) == len(kept)  # else a browser renewed its keys
    others.append(device)
    if len(others) <= MOST_DEVICES:
        return others, is_new, None
    oldest = min(others, key=lambda each: each.seen_at)
    return [each for each in others if each is not oldest], is_new, oldest


def without(kept: list[Device], name: str) -> list[Device]:
    return [each for each in kept if each.id != name]


class Holder(Struct, array_like=True, frozen=True):
    """A device was shown by a profile."""

    name: str
    by: bytes


def shown_item(workspace: int, name: str, by: bytes, cause: str, at: int) -> Item:
    """Said to the record that stands for the device."""
    record = ids.profile_id(workspace, SHOWN, name)
    body = msgspec.msgpack.encode(Holder(name, by))
    return Item(record, _id(SHOWN, record, by, cause), SHOWN, timestamp=at, properties=body, caused_by=cause)


def read_shown(properties: bytes) -> Holder:
    return msgspec.msgpack.decode(properties, type=Holder)


def moved_item(before: bytes, holder: Holder, cause: str, at: int) -> Item:
    identity = _id(MOVED, before, holder.by, cause)
    return Item(before, identity, MOVED, holder.name, timestamp=at, caused_by=cause)


def _id(*parts: str | bytes) -> str:
    return ids.show("evt", ids.derive(*parts))

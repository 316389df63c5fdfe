"""Channels: one file each says where a profile can be reached on it. Adding a channel is adding its file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Protocol, runtime_checkable

from kizuna.consent.decide import TRACKING
from kizuna.consent.subjects import Subjects
from kizuna.core import ids
from kizuna.profiles.device import Device

IN_PAGE = "in_page"  # stands for all channels of pages where a provider is set
EXPIRES_DEFAULT = "72h"  # of what is planned: after it nobody need hear it any more


class Channel(Protocol):
    """What each file of this package offers as `channel`."""

    name: str

    def address(self, traits: Mapping[str, Any]) -> str | None:
        """Where this customer is reached, or None."""

    def is_valid(self, address: str) -> bool:
        """Whether the address can exist at all."""
        ...


@runtime_checkable
class ReachesDevices(Protocol):
    """A channel whose messages go to devices instead of an address among the traits."""

    def address_on(self, devices: Sequence[Device]) -> str | None: ...


@runtime_checkable
class KnowsByTrait(Protocol):
    """A channel on which customers speak too: the trait that says who did. Messages go there only where a step or
    campaign names it, for what is said there is worded for it."""

    trait: str


@runtime_checkable
class OnlyWhenNamed(Protocol):
    """Messages go there only where a step or campaign names it: the channel costs money or somebody's time, or its
    messages are worded for their place."""

    only_when_named: bool


@runtime_checkable
class KeysAddresses(Protocol):
    """A channel whose addresses are compared, and suppressed, by a key that says nothing of them."""

    def key(self, address: str) -> str: ...


def key_of(channel: str, address: str) -> str:
    """By what an address is suppressed."""
    known = all_channels().get(channel)
    keys = _keys(known) if known is not None else None
    return keys.key(address) if keys else address.lower()


@cache
def _keys(channel: Channel) -> KeysAddresses | None:
    """Asked once, as `_on_devices`."""
    return channel if isinstance(channel, KeysAddresses) else None


class InPage:
    """A channel whose messages lie in the shop's own pages until the customer comes: whoever has a record is reached,
    at any hour. Such a message is worded for its place, so it goes there only where a step or campaign names it."""

    name: ClassVar[str]
    only_when_named: ClassVar[bool] = True
    expires: ClassVar[str] = EXPIRES_DEFAULT  # of one whose sender does not say

    def address(self, traits: Mapping[str, Any]) -> str | None:
        return None

    def is_valid(self, address: str) -> bool:
        return address.startswith("prf_")


def address_of(
    channel: Channel, traits: Mapping[str, Any], devices: Sequence[Device], profile: bytes = b""
) -> str | None:
    """Where this customer is reached, or None."""
    if isinstance(channel, InPage):
        return ids.show("prf", profile)
    devices_only = _on_devices(channel)
    return devices_only.address_on(devices) if devices_only else channel.address(traits)


@cache
def _on_devices(channel: Channel) -> ReachesDevices | None:
    """Asked once: every mail that is claimed looks through all channels, and protocols are slow to ask."""
    return channel if isinstance(channel, ReachesDevices) else None


@cache
def all_channels() -> dict[str, Channel]:
    """Every channel by name, found in this folder."""
    found: dict[str, Channel] = {}
    for module in pkgutil.iter_modules(__path__):
        channel: Channel = importlib.import_module(f"{__name__}.{module.name}").channel
        found[channel.name] = channel
    return found


def consent_subjects() -> Subjects:
    """The channels, and what stands in the place of one."""
    return Subjects((*sorted(all_channels()), TRACKING))


def best_channels() -> list[str]:
    """Those that `best` chooses from, in their order."""
    return [name for name, each in all_channels().items() if not isinstance(each, KnowsByTrait | OnlyWhenNamed)]


def is_in_page(name: str) -> bool:
    return isinstance(all_channels().get(name), InPage)


def in_page_channels() -> list[str]:
    return [name for name in all_channels() if is_in_page(name)]


def expires_of(name: str) -> str:
    """How long a message of a channel is worth saying, where its sender does not say."""
    channel = all_channels().get(name)
    return channel.expires if isinstance(channel, InPage) else EXPIRES_DEFAULT

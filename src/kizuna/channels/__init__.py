"""Channels: one file each says where a profile can be reached on it. Adding a channel is adding its file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Protocol, runtime_checkable

from kizuna.profiles.device import Device


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
    """A channel that costs money or somebody's time: messages go there only where a step or campaign names it."""

    only_when_named: bool


@runtime_checkable
class KeysAddresses(Protocol):
    """A channel whose addresses are compared, and suppressed, by a key that says nothing of them."""

    def key(self, address: str) -> str: ...


def key_of(channel: str, address: str) -> str:
    """By what an address is suppressed."""
    known = all_channels().get(channel)
    return known.key(address) if isinstance(known, KeysAddresses) else address.lower()


def address_of(channel: Channel, traits: Mapping[str, Any], devices: Sequence[Device]) -> str | None:
    """Where this customer is reached, or None."""
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


def best_channels() -> list[str]:
    """Those that `best` chooses from, in their order."""
    return [name for name, each in all_channels().items() if not isinstance(each, KnowsByTrait | OnlyWhenNamed)]

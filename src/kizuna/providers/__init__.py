"""Providers: one file each carries messages of one channel. Adding a carrier is adding its file and its test."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Protocol, runtime_checkable
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct, field

from kizuna.core.errors import FieldError
from kizuna.profiles.device import Device


class Notification(Struct, frozen=True, kw_only=True):
    """What a push says beside its title and text."""

    ttl: int  # seconds after which nobody need hear it any more
    url: str | None = None  # where a tap leads
    dismissed_url: str | None = None  # is told by a POST that it was dismissed
    icon: str | None = None
    image: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    urgency: str = "normal"  # very-low, low, normal, high (RFC 8030)
    collapse: str | None = None  # of those that say the same, the newest replaces what was not delivered yet


class Delivery(Struct, frozen=True, kw_only=True):
    """A rendered message on its way. Of a push, `address` names one device's token when a provider sees it."""

    message: str  # msg_...: the idempotency key, and the root of the Message-ID
    channel: str
    address: str
    subject: str | None
    text: str
    html: str | None
    headers: Mapping[str, str]  # beside those the provider makes
    at: float  # seconds since 1970: the date it bears
    devices: Sequence[Device] = ()  # of a channel that reaches devices: all of the customer's
    notification: Notification | None = None

    @property
    def uuid(self) -> str:
        """The message's id for those who want a UUID as idempotency key: every attempt has the same."""
        return str(uuid5(NAMESPACE_URL, f"kizuna:{self.message}"))


class Accepted(Struct, frozen=True):
    """The provider took it over."""

    reference: str = ""
    gone: Sequence[str] = ()  # ids of devices that will never take anything again; here and below


class Rejected(Struct, frozen=True):
    """It will never take it. `bounce` is hard when the address is to blame for good."""

    reason: str
    bounce: str | None = None
    gone: Sequence[str] = ()
    opted_out: bool = False  # they told the carrier, not us, that they want nothing more on this channel


class Unavailable(Struct, frozen=True):
    """Not now: nothing was taken over."""

    reason: str
    retry_after: int | None = None  # seconds
    gone: Sequence[str] = ()
    of_one: bool = False  # only this message has to wait: its mailbox is full, greets strangers late, or lies elsewhere


class Ambiguous(Struct, frozen=True):
    """It may have been taken over: the connection was lost after the message was handed over."""

    reason: str
    gone: Sequence[str] = ()


Outcome = Accepted | Rejected | Unavailable | Ambiguous


class Provider(Protocol):
    """What each file of this package offers as `provider`. Secret settings are named in `secrets`."""

    name: ClassVar[str]
    channel: ClassVar[str | None]  # None: any
    settings: ClassVar[type[Struct]]
    secrets: ClassVar[frozenset[str]]
    is_local: ClassVar[bool]  # delivers within our own transaction: exactly once

    def deliver(self, delivery: Delivery, settings: Any) -> Outcome:
        """Carry one message. Runs on several threads at once; never raises for what a network may do."""
        ...

    def close(self) -> None:
        """Let go of what is held between deliveries."""


class Checked(Struct, frozen=True, kw_only=True):
    """What a provider found in its settings. Pointers are within them."""

    problems: list[FieldError] = []  # why they cannot be set
    warnings: list[FieldError] = []  # what may be set and will disappoint
    dns: list[dict[str, str]] = []  # records to publish: `type`, `name`, `value`
    public: dict[str, Any] = {}  # what is shown beside the settings, such as the public half of a key


@runtime_checkable
class Particular(Protocol):
    """A provider that looks closer at its settings, when they are set, than their types can."""

    def check(self, settings: Any) -> Checked: ...


@runtime_checkable
class MakesSecrets(Protocol):
    """A provider that makes secrets of its own when it is set; those that are there or given stay."""

    def make_secrets(self) -> dict[str, Any]: ...


@runtime_checkable
class ShowsSecrets(MakesSecrets, Protocol):
    """Of the secrets it makes, somebody else needs some: these are shown in the answer to the request that made them,
    and never again."""

    shown_once: ClassVar[frozenset[str]]


@runtime_checkable
class CarriesDevices(Protocol):
    """A provider that reaches devices of some types, one at a time."""

    carries: ClassVar[frozenset[str]]


@runtime_checkable
class HandsToPeople(Protocol):
    """A local provider whose messages stay `handed` until people say what became of them; `deliver` only looks whether
    they can be carried."""

    hands_to_people: ClassVar[bool]


@cache
def all_providers() -> dict[str, Provider]:
    """Every provider by kind, found in this folder."""
    found: dict[str, Provider] = {}
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        if provider := getattr(loaded, "provider", None):
            found[provider.name] = provider
    return found

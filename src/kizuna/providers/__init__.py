"""Providers: one file each carries messages of one channel. Adding a carrier is adding its file and its test."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Protocol

from msgspec import Struct


class Delivery(Struct, frozen=True, kw_only=True):
    """A rendered message on its way."""

    message: str  # msg_...: the idempotency key, and the root of the Message-ID
    channel: str
    address: str
    subject: str | None
    text: str
    html: str | None
    headers: Mapping[str, str]  # beside those the provider makes
    at: float  # seconds since 1970: the date it bears


class Accepted(Struct, frozen=True):
    """The provider took it over."""

    reference: str = ""


class Rejected(Struct, frozen=True):
    """It will never take it. `bounce` is hard when the address is to blame for good."""

    reason: str
    bounce: str | None = None


class Unavailable(Struct, frozen=True):
    """Not now: nothing was taken over."""

    reason: str
    retry_after: int | None = None  # seconds
    of_one: bool = False  # only this message has to wait: its mailbox is full, or greets strangers late


class Ambiguous(Struct, frozen=True):
    """It may have been taken over: the connection was lost after the message was handed over."""

    reason: str


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


@cache
def all_providers() -> dict[str, Provider]:
    """Every provider by kind, found in this folder."""
    found: dict[str, Provider] = {}
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        if provider := getattr(loaded, "provider", None):
            found[provider.name] = provider
    return found

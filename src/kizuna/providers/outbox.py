"""The built-in sink: keeps what it receives, to be looked at. The provider of every channel that has no other."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from kizuna.providers import Accepted, Delivery, Outcome


class Settings(Struct, frozen=True):
    """Nothing to set."""


class OutboxProvider:
    name: ClassVar[str] = "outbox"
    channel: ClassVar[str | None] = None
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset()
    is_local: ClassVar[bool] = True

    def deliver(self, delivery: Delivery, settings: Settings) -> Outcome:
        return Accepted()

    def close(self) -> None:
        """Nothing is held."""


provider = OutboxProvider()

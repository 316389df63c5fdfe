"""A carrier that answers as told, and the end of a process at a point of a delivery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from kizuna.providers import Accepted, Delivery, Outcome


class Scripted:
    """Answers in turn what it is told, then takes everything; remembers what it was handed."""

    name, channel, secrets, is_local = "scripted", "email", frozenset[str](), False

    class Settings(msgspec.Struct):
        pass

    settings = Settings

    def __init__(self) -> None:
        self.answers: list[Outcome] = []
        self.handed: list[Delivery] = []

    def deliver(self, delivery: Delivery, settings: Any) -> Outcome:
        self.handed.append(delivery)
        return self.answers.pop(0) if self.answers else Accepted()

    def close(self) -> None:
        pass


class KilledError(BaseException):
    """The process ended here."""


def kill_at(point: str) -> Callable[[str], None]:
    def checkpoint(name: str) -> None:
        if name == point:
            raise KilledError

    return checkpoint

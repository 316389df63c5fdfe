"""Phone calls: messages become entries of a list that people work through."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from kizuna.core import clock
from kizuna.core.errors import FieldError, Invalid
from kizuna.providers import Accepted, Checked, Delivery, Outcome

MOST_TRIES = 20


class Settings(Struct, frozen=True):
    """Who is not reached is called again after `spacing`, `tries` times in all."""

    tries: int = 3
    spacing: str = "4h"


class CallListProvider:
    name: ClassVar[str] = "call_list"
    channel: ClassVar[str | None] = "call"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset()
    is_local: ClassVar[bool] = True
    hands_to_people: ClassVar[bool] = True

    def check(self, settings: Settings) -> Checked:
        problems: list[FieldError] = []
        if not 1 <= settings.tries <= MOST_TRIES:
            problems.append(FieldError("/tries", "invalid", f"1 to {MOST_TRIES}"))
        try:
            clock.duration(settings.spacing)
        except Invalid as error:
            problems.append(FieldError("/spacing", "invalid", str(error)))
        return Checked(problems=problems)

    def deliver(self, delivery: Delivery, settings: Settings) -> Outcome:
        return Accepted()

    def close(self) -> None:
        """Nothing is held."""


provider = CallListProvider()

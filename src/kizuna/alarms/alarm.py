"""An alarm: one rule that does not hold for one subject, from its raising to its end."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct

from kizuna.core import clock

INSTALLATION = 0  # in place of a workspace


class Place(Struct, frozen=True, order=True):
    """What an alarm is about; there is one at a time."""

    workspace: int
    rule: str
    subject: str = ""


class Alarm(Struct, frozen=True, kw_only=True):
    """As it is kept; all times are real ones."""

    id: int
    workspace: int
    rule: str
    subject: str
    message: str
    raised_at: int
    resolved_at: int | None
    resolved_by: str | None  # None: by itself
    cleared_at: int | None

    def shown(self) -> dict[str, Any]:
        return {
            "id": f"alm_{self.id}",
            "scope": "installation" if self.workspace == INSTALLATION else "workspace",
            "rule": self.rule,
            "subject": self.subject or None,
            "message": self.message,
            "state": "raised" if self.resolved_at is None else "resolved",
            "raised_at": clock.show(self.raised_at),
            "resolved_at": clock.show(self.resolved_at) if self.resolved_at is not None else None,
            "resolved_by": self.resolved_by,
        }


def changes(
    standing: Collection[Place], found: Mapping[Place, str], asked: Collection[str]
) -> tuple[dict[Place, str], list[Place]]:
    """What is to be raised, with its message, and what is well again; only rules that were asked can be.

    One that was resolved by hand stands until its rule held once, so it is not raised again meanwhile.
    """
    raised = {place: message for place, message in found.items() if place not in standing}
    cleared = sorted(place for place in standing if place.rule in asked and place not in found)
    return raised, cleared

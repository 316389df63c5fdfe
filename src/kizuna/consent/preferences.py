"""What an event says of consent beside what it is about: `context.consent`, as consent managers write it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kizuna.core import exact_json
from kizuna.engine.moment import Item

TOLD_BY = "identify"  # the type of events that are asked
CHANNEL = "email"  # consent managers name purposes, not channels: they become topics of mail


def preferences(context: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """(topic, whether it is allowed) of `categoryPreferences`, which has true or false for each purpose."""
    consent = context.get("consent")
    said = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    for category, allowed in said.items() if isinstance(said, dict) else ():
        if isinstance(allowed, bool):
            yield str(category), allowed


def is_unfollowed(context: Mapping[str, Any]) -> bool:
    """`gpc`, the signal of a browser whose owner does not want to be followed."""
    consent = context.get("consent")
    return isinstance(consent, dict) and consent.get("gpc") is True


def refused_in(item: Item) -> list[str]:
    """The topics of mail that an event opts out of. Of the others, all but a few are known by a look at their bytes."""
    raw = item.context
    if item.type != TOLD_BY or b"false" not in raw or (b"categoryPreferences" not in raw and b"\\" not in raw):
        return []
    return [topic for topic, allowed in preferences(exact_json.decode(raw)) if not allowed]


def veto_name(item: Item) -> str:
    """Of the vetoes that stand in for an event: one that was said before has vetoes of its own, and takes none away."""
    return f"{item.id} {item.received_at}"

"""A customer's consent as the API shows it."""

from __future__ import annotations

from typing import Any

from kizuna.consent.proof import PREFIX
from kizuna.consent.section import Consent
from kizuna.core import clock, ids


def show_consent(section: Consent) -> dict[str, Any]:
    """By channel: the global state, the topics chosen, and why we must not write."""
    channels = sorted({*section.channels, *section.topics, *section.suppressed})
    return {
        channel: {
            "state": section.channels.get(channel, "neutral"),
            "topics": section.topics.get(channel, {}),
            "suppressed": section.suppressed.get(channel),
        }
        for channel in channels
    }


def show_proof(row: tuple[Any, ...]) -> dict[str, Any]:
    """A row of `store.proofs_of`."""
    proof, channel, topic, state, source, given, basis, at, known_at, until = row
    return {
        "id": ids.show(PREFIX, proof), "channel": channel, "topic": topic or None, "state": state, "source": source,
        "proof": given, "basis": basis, "at": clock.show(at), "known_at": clock.show(known_at),
        "until": clock.show(until) if until else None,
    }  # fmt: skip

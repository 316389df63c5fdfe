"""A customer's consent as the API shows it."""

from __future__ import annotations

from typing import Any

from kizuna.consent.section import Consent


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

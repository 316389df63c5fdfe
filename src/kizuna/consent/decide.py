"""The two questions asked of consent: what is the state, and must we refuse."""

from __future__ import annotations

from kizuna.consent.section import Consent

OPTED_IN, NEUTRAL, PENDING, OPTED_OUT = "opted_in", "neutral", "pending", "opted_out"
STATES = (OPTED_IN, NEUTRAL, PENDING, OPTED_OUT)
STRICTEST_FIRST = (OPTED_OUT, PENDING, NEUTRAL, OPTED_IN)


def state(section: Consent, channel: str, topic: str | None = None) -> str:
    """The state of a topic, or without one the channel's global state."""
    if topic:
        return section.topics.get(channel, {}).get(topic, NEUTRAL)
    return section.channels.get(channel, NEUTRAL)


def refusal(
    section: Consent,
    channel: str,
    topic: str | None,
    transactional: bool,
    workspace_default: str,
    address: str | None = None,
) -> str | None:
    """Why a message may not be sent: `suppressed`, `no_consent`, or None when it may.

    `workspace_default` is what neutral means: `opt_out` (may be written to) or `opt_in` (may not).
    """
    if _is_suppressed(section, channel, transactional, address):
        return "suppressed"
    if transactional:
        return None
    whole, part = state(section, channel), state(section, channel, topic) if topic else NEUTRAL
    if OPTED_OUT in (whole, part) or part == PENDING:
        return "no_consent"
    if OPTED_IN in (whole, part):
        return None
    return "no_consent" if whole == PENDING or workspace_default == "opt_in" else None


def _is_suppressed(section: Consent, channel: str, transactional: bool, address: str | None) -> bool:
    reason = section.suppressed.get(channel)
    if reason is None:
        return False
    if reason == "complaint":  # they object to marketing; the address itself works
        return not transactional
    bounced = section.suppressed_address.get(channel, "")
    return not address or not bounced or bounced == address.lower()

"""The questions asked of consent: what is the state, must we refuse, and which act allows it."""

from __future__ import annotations

from kizuna.consent.section import Consent, said_state, standing
from kizuna.consent.standing import NEUTRAL, OPTED_IN, OPTED_OUT, PENDING

STATES = (OPTED_IN, NEUTRAL, PENDING, OPTED_OUT)
OPT_IN, OPT_OUT = "opt_in", "opt_out"
TRANSACTIONAL = "transactional"
TRACKING = "tracking"  # in the place of a channel: whether opens and clicks are followed; silence allows it


def state(section: Consent, channel: str, topic: str | None = None) -> str:
    """The state of a topic, or without one the channel's global state."""
    return said_state(section, channel, topic)


def refusal(
    section: Consent,
    channel: str,
    topic: str | None,
    transactional: bool,
    neutral: str,
    address: str | None = None,
    *,
    now: int,
) -> str | None:
    """Why a message may not be sent: `suppressed`, `no_consent`, or None when it may.

    `neutral` is what no choice means: `opt_out` (may be written to) or `opt_in` (may not). An opt-in that ran out by
    `now` (microseconds in UTC) is a no, not a neutral.
    """
    if _is_suppressed(section, channel, transactional, address):
        return "suppressed"
    if transactional:
        return None
    whole, part = state(section, channel), state(section, channel, topic) if topic else NEUTRAL
    if OPTED_OUT in (whole, part) or part == PENDING:
        return "no_consent"
    lapsed = has_lapsed(section, channel, None, now), bool(topic) and has_lapsed(section, channel, topic, now)
    if (whole == OPTED_IN and not lapsed[0]) or (part == OPTED_IN and not lapsed[1]):
        return None
    return "no_consent" if any(lapsed) or whole == PENDING or neutral == OPT_IN else None


def has_lapsed(section: Consent, channel: str, topic: str | None, now: int) -> bool:
    return bool(section.stands) and standing(section, channel, topic).has_lapsed(now)


def in_force(section: Consent, channel: str, topic: str | None, now: int) -> tuple[str, bytes | None]:
    """What allows a message that is not refused: `opted_in` with the id of its proof (None where it came from before
    proofs were kept), or `neutral`. A topic speaks before its channel."""
    for part in (topic, None) if topic else (None,):
        if state(section, channel, part) == OPTED_IN and not has_lapsed(section, channel, part, now):
            return OPTED_IN, standing(section, channel, part).evidence
    return NEUTRAL, None


def _is_suppressed(section: Consent, channel: str, transactional: bool, address: str | None) -> bool:
    reason = section.suppressed.get(channel)
    if reason is None:
        return False
    if reason == "complaint":  # they object to marketing; the address itself works
        return not transactional
    bounced = section.suppressed_address.get(channel, "")
    return not address or not bounced or bounced == address.lower()

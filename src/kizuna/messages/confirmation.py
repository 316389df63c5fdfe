"""What a link that confirms an opt-in is worth when somebody follows it. Pure."""

from __future__ import annotations

from collections.abc import Set

from kizuna.consent.decide import has_lapsed, state
from kizuna.consent.section import Consent, key_of
from kizuna.consent.standing import OPTED_IN, OPTED_OUT

OPEN, DONE, BLOCKED, OVER = "open", "done", "blocked", "over"


def worth(
    consent: Consent,
    vetoes: Set[tuple[str, str]],
    channel: str,
    topic: str | None,
    sent_to: str | None,
    address: str | None,
    now: int,
) -> str:
    """`open`: an answer counts; `done`: they are in; `blocked`: in the topic, while they are out of its whole channel;
    `over`: it came too late, they said no meanwhile, or the address it went to is theirs no more. `vetoes` are opt-outs
    accepted and not folded yet."""
    if vetoes & {(channel, ""), (channel, topic or "")}:
        return OVER
    is_theirs = bool(sent_to) and (sent_to or "").lower() == (address or "").lower()
    if state(consent, channel, topic) == OPTED_IN and not has_lapsed(consent, channel, topic, now):
        reached = confirmed(consent, channel, topic)
        return reached if is_theirs or reached == DONE else OVER
    asked = consent.asked.get(key_of(channel, topic))
    return OPEN if asked is not None and now < asked.until and is_theirs else OVER


def confirmed(consent: Consent, channel: str, topic: str | None) -> str:
    """What an answer that counts leads to."""
    return BLOCKED if topic and state(consent, channel) == OPTED_OUT else DONE

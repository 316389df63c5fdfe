"""How much harm is too much: complaints and hard bounces against the limits of the policy. Pure."""

from __future__ import annotations

from msgspec import Struct

from kizuna.messages.policy import Limits

PAUSE, STOP = "pause", "stop"
COMPLAINTS, HARD_BOUNCES, REFUSALS = "complaints", "hard_bounces", "refusals"
REFUSALS_OVER, REFUSALS_STOP = 10, 0.05  # that blame us: so many, and such a share of what was tried


class Seen(Struct, frozen=True):
    """Counts of one campaign, one journey or one channel, since `since`."""

    delivered: int
    tried: int
    complaints: int
    hard_bounces: int
    since: int
    refusals: int = 0  # of us: blocked, not authenticated, of bad repute


class Verdict(Struct, frozen=True):
    action: str  # pause it, or stop the whole channel
    reason: str
    rate: float
    limit: float


def judge(seen: Seen, limits: Limits) -> Verdict | None:
    """What to do, the gravest first; None where all is well or too little was sent to say."""
    if seen.complaints and seen.delivered >= limits.complaints_over:
        rate = seen.complaints / seen.delivered
        if rate >= limits.complaints_stop:
            return Verdict(STOP, COMPLAINTS, rate, limits.complaints_stop)
        if rate >= limits.complaints_pause:
            return Verdict(PAUSE, COMPLAINTS, rate, limits.complaints_pause)
    if seen.refusals >= REFUSALS_OVER and seen.refusals >= REFUSALS_STOP * seen.tried:
        return Verdict(STOP, REFUSALS, seen.refusals / seen.tried, REFUSALS_STOP)
    if seen.hard_bounces and seen.tried >= limits.bounces_over:
        rate = seen.hard_bounces / seen.tried
        if rate >= limits.bounces_pause:
            return Verdict(PAUSE, HARD_BOUNCES, rate, limits.bounces_pause)
    return None

"""What the policy says of one message on one channel: now, at an instant, later perhaps, elsewhere, or not. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from kizuna.channels import is_in_page
from kizuna.core import clock, ids
from kizuna.messages import quiet_hours
from kizuna.messages.cap import HOLD, NEXT_CHANNEL, SKIP, Cap
from kizuna.messages.policy import Policy
from kizuna.messages.section import Grant, Held

FREQUENCY_CAP, QUIET_HOURS_EXPIRED, HOLDOUT = "frequency_cap", "quiet_hours_expired", "holdout"
MOST_HELD = 100  # of one profile


class Asked(Struct, frozen=True, kw_only=True):
    """What the policy may look at. Instants are microseconds in UTC."""

    message: bytes
    channel: str
    topic: str | None
    now: int
    expires_at: int
    zone: str  # theirs, else the workspace's
    spread: bool  # whether it may go up to ten minutes after the end of quiet hours
    own_zone: str = ""  # as far as it is known
    traits: Mapping[str, Any] = {}  # which say the country


class Go(Struct, frozen=True):
    """It may go, at `due_at`."""

    due_at: int


class Hold(Struct, frozen=True):
    """There is no room now; it waits until `until`. There may be room at `retry_at` (0: others wait before it)."""

    until: int
    retry_at: int


class Elsewhere(Struct, frozen=True):
    """Not on this channel: the next one is tried."""


class No(Struct, frozen=True):
    reason: str


Permit = Go | Hold | Elsewhere | No


def permit(policy: Policy, grants: Sequence[Grant], ahead: Sequence[Held], asked: Asked) -> Permit:
    """`ahead` are those held back before it: one of the same channel and topic goes first."""
    due_at = asked.now
    night = None  # what lies in a page wakes nobody
    if not is_in_page(asked.channel):
        night = policy.night(asked.channel, asked.traits, asked.own_zone, asked.zone)
    if night and (over := night.over_at(asked.now)):
        if night.then == quiet_hours.SKIP or over > asked.expires_at:
            return No(QUIET_HOURS_EXPIRED)
        due_at = night.due_at(asked.now, asked.message, asked.expires_at, spread=asked.spread)
    counting = [cap for cap in policy.caps if cap.counts(asked.channel, asked.topic)]
    full: list[Cap] = []
    retry_at = 0
    for cap in counting:
        times = [each.at for each in grants if cap.counts(each.channel, each.topic)]
        if cap.is_full(times, due_at, asked.zone):
            full.append(cap)
            retry_at = max(retry_at, cap.frees_at(times, due_at, asked.zone))
    if not full and any((each.channel, each.topic) == (asked.channel, asked.topic) for each in ahead):
        full = [cap for cap in counting if cap.then == HOLD]  # its like came first and goes first
    if not full:
        return Go(due_at)
    ways = {cap.then for cap in full}
    if SKIP in ways or len(ahead) >= MOST_HELD:
        return No(FREQUENCY_CAP)
    if NEXT_CHANNEL in ways:
        return Elsewhere()
    until = min(clock.after(asked.now, cap.hold_for, asked.zone) for cap in full)
    return Hold(min(until, asked.expires_at), retry_at)


def is_held_out(policy: Policy, profile: bytes) -> bool:
    """Whether the profile is among those who receive nothing: the same ones whatever is said."""
    return policy.holdout > 0 and ids.bucket("holdout", profile) < policy.holdout * 100


def still_counts(policy: Policy, grants: Sequence[Grant], now: int, zone: str) -> list[Grant]:
    """Those that any cap may still ask about."""
    return [
        each
        for each in grants
        if any(cap.counts(each.channel, each.topic) and cap.ends(each.at, zone) > now for cap in policy.caps)
    ]

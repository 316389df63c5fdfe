"""The consent section of a record: what a customer allows, and why we must not write."""

from __future__ import annotations

from msgspec import field

from kizuna.engine.slice import Section

SOFT_BOUNCES_IN_A_ROW = 5


class Consent(Section):
    """`neutral` is no entry. `chosen_at` keys are `channel` or `channel/topic`; `proven` holds when a proof came."""

    channels: dict[str, str] = field(default_factory=dict)  # the global state of a channel
    topics: dict[str, dict[str, str]] = field(default_factory=dict)  # by channel, then topic
    suppressed: dict[str, str] = field(default_factory=dict)  # channel to reason: hard_bounce, complaint, soft_bounces
    suppressed_address: dict[str, str] = field(default_factory=dict)  # the address a bounce was about
    soft_bounces: dict[str, int] = field(default_factory=dict)  # in a row, by channel
    chosen_at: dict[str, int] = field(default_factory=dict)
    proven_at: dict[str, int] = field(default_factory=dict)

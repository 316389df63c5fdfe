"""The consent section of a record: what a customer allows, and why we must not write."""

from __future__ import annotations

from msgspec import Struct, field

from kizuna.consent.standing import NEUTRAL, OPTED_OUT, Act, Standing
from kizuna.engine.slice import Section

SOFT_BOUNCES_IN_A_ROW = 5
_NOTHING = Standing()


class Asked(Struct, array_like=True, gc=False, frozen=True):
    """A confirmation that was asked for and not given yet."""

    until: int  # links in it work as long
    times: tuple[int, ...]  # when it was sent


class Consent(Section):
    """`neutral` is no entry. Keys of what stands by channel and topic are `channel` or `channel/topic`."""

    channels: dict[str, str] = field(default_factory=dict)  # the global state of a channel
    topics: dict[str, dict[str, str]] = field(default_factory=dict)  # by channel, then topic
    suppressed: dict[str, str] = field(default_factory=dict)  # channel to reason: hard_bounce, complaint, soft_bounces
    suppressed_address: dict[str, str] = field(default_factory=dict)  # the address a bounce was about
    soft_bounces: dict[str, int] = field(default_factory=dict)  # in a row, by channel
    chosen_at: dict[str, int] = field(default_factory=dict)  # of records older than `stands`
    proven_at: dict[str, int] = field(default_factory=dict)  # likewise
    stands: dict[str, Standing] = field(default_factory=dict)  # the acts from which `channels` and `topics` follow
    asked: dict[str, Asked] = field(default_factory=dict)


def key_of(channel: str, topic: str | None) -> str:
    return f"{channel}/{topic}" if topic else channel


def said_state(section: Consent, channel: str, topic: str | None) -> str:
    if topic:
        return section.topics.get(channel, {}).get(topic, NEUTRAL)
    return section.channels.get(channel, NEUTRAL)


def standing(section: Consent, channel: str, topic: str | None) -> Standing:
    """What was said so far; of a record from before it was kept, as much as that one knew."""
    key = key_of(channel, topic)
    kept = section.stands.get(key)
    if kept is not None:
        return kept
    state, at = said_state(section, channel, topic), section.chosen_at.get(key, 0)
    if state == NEUTRAL and not at:
        return _NOTHING
    act = Act(at, 0, state)
    if state == OPTED_OUT:
        return Standing(out=act)
    proven = section.proven_at.get(key, 0)
    return Standing(proven=Act(proven, 0, state) if proven else None, latest=act)

"""What a customer may choose about: each channel as a whole and each topic on it, and what rules there now. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.consent.decide import OPTED_OUT, refusal, state
from kizuna.consent.section import Consent


class Line(Struct, frozen=True):
    """A line of the preference page."""

    channel: str
    topic: str  # empty: the whole channel
    title: str
    description: str
    state: str
    is_received: bool
    is_open: bool = True  # whether choosing here changes anything: not on a channel that is stopped as a whole


class Reach(Struct, frozen=True):
    """A channel with what may be chosen about it."""

    channel: str
    lines: Sequence[Line]
    is_blocked: bool  # what we sent came back: a choice alone does not change that


def reaches(
    consent: Consent,
    addresses: Mapping[str, str | None],
    topics: Mapping[str, Mapping[str, Any]],
    neutral: Callable[[str, str, str | None], str],
    now: int,
) -> list[Reach]:
    """`addresses` by channel, in the order to be shown; `neutral` says what no choice means (`opt_in` or `opt_out`),
    given what the topic or else the workspace says (empty: nothing), the channel and the topic."""
    found: list[Reach] = []
    open_consent = msgspec.structs.replace(consent, suppressed={})
    for channel, address in addresses.items():
        is_stopped = state(consent, channel) == OPTED_OUT
        lines: list[Line] = []
        for topic in ["", *topics, *sorted(consent.topics.get(channel, {}).keys() - topics.keys())]:
            known = topics.get(topic, {})
            said = state(consent, channel, topic)
            default = neutral(str(known.get("default") or ""), channel, topic or None)
            lines.append(
                Line(
                    channel=channel,
                    topic=topic,
                    title=str(known.get("title") or topic),
                    description=str(known.get("description") or ""),
                    state=said,
                    is_received=refusal(open_consent, channel, topic or None, False, default, now=now) is None,
                    is_open=not (topic and is_stopped),
                )
            )
        is_blocked = refusal(consent, channel, None, True, "", address, now=now) is not None
        found.append(Reach(channel, lines, is_blocked))
    return found


def chosen(consent: Consent, said: Iterable[tuple[str, str]], wanted: str) -> Consent:
    """The consent with (channel, topic) said to be `wanted`: accepted, and perhaps not folded yet."""
    channels = dict(consent.channels)
    topics = {channel: dict(states) for channel, states in consent.topics.items()}
    for channel, topic in said:
        if topic:
            topics.setdefault(channel, {})[topic] = wanted
        else:
            channels[channel] = wanted
    return msgspec.structs.replace(consent, channels=channels, topics=topics)

"""Who it was that opened a mail or followed its link: a person, a machine, or nobody can say. Pure.

A request alone tells some machines (`first_look`); others show only in how many links they follow at once (`bursts`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Literal

import msgspec
from msgspec import Struct

from kizuna.core.clock import MINUTE, SECOND
from kizuna.messages.message import read_passed

HUMAN, MACHINE, UNSURE = "human", "machine", "unsure"
OPENED, CLICKED = "opened", "clicked"
TRAP = -1  # as a link's number: the one that no person sees
AT_ONCE = 2 * SECOND  # within which a machine follows all links of a mail
FEWEST_LINKS = 3  # that tell a machine: somebody may well follow two of two
SUSPECT_FOR = 10 * MINUTE  # after a burst or a trap: what was seen there is taken for the same machine's
TOO_SOON = 1 * SECOND  # after a mail was sent nobody has read it


class Agent(Struct, frozen=True):
    """A kind of user agents: what they are called whole, what they end in, and what they have in them (lower case)."""

    actor: Literal["machine", "unsure"]
    who: str
    source: str  # where this is told
    of: str = ""  # it opens (or clicks) only
    whole: tuple[str, ...] = msgspec.field(default=(), name="is")
    ends: tuple[str, ...] = ()
    has: tuple[str, ...] = ()

    def is_it(self, state: str, agent: str, lower: str) -> bool:
        if self.of and self.of != state:
            return False
        return agent in self.whole or agent.endswith(self.ends) or any(word in lower for word in self.has)


AGENTS = msgspec.json.decode(files("kizuna.messages").joinpath("agents.json").read_bytes(), type=list[Agent])


def actor_of(state: str, agent: str) -> str:
    """By what the program says it is; one that says nothing may be anybody."""
    agent = agent.strip()
    if not agent:
        return UNSURE
    lower = agent.lower()
    return next((each.actor for each in AGENTS if each.is_it(state, agent, lower)), HUMAN)


def first_look(
    state: str, is_head: bool, agent: str, history: Sequence[int], at: int | None, *, is_scanner: bool = False
) -> str:
    """What the request tells by itself. `history` is the message's; `at` is None where the
    time since it was sent tells nothing; `is_scanner` says that it came from a network without people."""
    if is_head or is_scanner:
        return MACHINE  # a person wants to see the page
    if state == CLICKED and at is not None and _is_too_soon(history, at):
        return MACHINE
    return actor_of(state, agent)


def _is_too_soon(history: Sequence[int], at: int) -> bool:
    passed = [read_passed(entry) for entry in history]
    handed = [then for state, then in passed if state in ("handed", "sent")]
    sent = [then for state, then in passed if state == "sent"]
    return not handed or at < min(handed) or (bool(sent) and at < min(sent) + TOO_SOON)


class Touch(Struct, frozen=True):
    """An open or a click, at an instant of real time."""

    item: str  # of the log
    state: str
    link: int  # its number in the message, or TRAP; of an open it means nothing
    at: int
    actor: str


class Span(Struct, frozen=True):
    """A machine was at a message from `since` to `until`."""

    since: int
    until: int

    def holds(self, state: str, at: int) -> bool:
        """Clicks of the minutes after are the machine's too; an open is so only about the time when it was there."""
        if state == CLICKED:
            return self.since <= at <= self.until + SUSPECT_FOR
        return self.since - AT_ONCE <= at <= self.until + AT_ONCE


def bursts(touches: Iterable[Touch], links: int) -> list[Span]:
    """When a machine was at a message that has so many links: it followed all of them at once, or the hidden one."""
    clicks = sorted((each for each in touches if each.state == CLICKED), key=lambda each: each.at)
    found = [Span(each.at - AT_ONCE, each.at) for each in clicks if each.link == TRAP]
    seen = [each for each in clicks if each.link != TRAP]
    if links < FEWEST_LINKS or len({each.link for each in seen}) < links:
        return found
    last: dict[int, int] = {}  # when each link was followed last
    for each in seen:
        last[each.link] = each.at
        if len(last) == links and each.at - min(last.values()) <= AT_ONCE:
            first = next(other.at for other in seen if each.at - other.at <= AT_ONCE)  # also of a link followed twice
            found.append(Span(first, each.at))
    return found


def to_restate(touches: Sequence[Touch], links: int) -> list[str]:
    """Items of the log that were not taken for a machine's, and were one."""
    spans = bursts(touches, links)
    return [
        each.item for each in touches
        if each.actor != MACHINE and any(span.holds(each.state, each.at) for span in spans)
    ]  # fmt: skip

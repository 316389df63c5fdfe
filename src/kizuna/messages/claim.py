"""The claim can only refuse or hand back: what it looks at, and why it says no."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from msgspec import Struct, field

from kizuna.channels import address_of, all_channels, is_in_page, key_of
from kizuna.consent.decide import refusal
from kizuna.consent.section import Consent
from kizuna.engine.slice import Workspace
from kizuna.messages.message import Claimed
from kizuna.messages.permit import QUIET_HOURS_EXPIRED
from kizuna.messages.policy import Policy
from kizuna.messages.quiet_hours import SKIP
from kizuna.profiles.section import Profile

DUPLICATE = "duplicate"  # said already to another record that is the same customer by now


class Person(Struct, frozen=True, kw_only=True):
    """The customer as the record stands now, after merges."""

    id: bytes
    traits: dict[str, Any]
    consent: Consent
    known: Profile = field(default_factory=Profile)
    segments: list[str] = field(default_factory=list)
    locale: str = ""
    zone: str = ""


class Refused(Struct, frozen=True):
    """It is not sent, for ever."""

    state: str  # skipped or expired
    reason: str | None


class Deferred(Struct, frozen=True):
    """Quiet hours began, or the day's allowance is used: it is handed back, to be claimed again at `until`."""

    until: int


def defer(
    message: Claimed, person: Person, policy: Policy | None, at: int, workspace: Workspace
) -> Deferred | Refused | None:
    """What quiet hours say at the moment of the claim; None where it may go. What lies in a page wakes nobody."""
    if policy is None or message.transactional or is_in_page(message.channel):
        return None
    night = policy.night(message.channel, person.traits, person.zone, workspace.zone)
    over = night.over_at(at) if night is not None else 0
    if night is None or not over:
        return None
    if night.then == SKIP or over > message.expires_at:
        return Refused("skipped", QUIET_HOURS_EXPIRED)
    return Deferred(night.due_at(at, message.id, message.expires_at, spread=workspace.clock != "test"))


def decide(
    message: Claimed,
    person: Person | None,
    vetoes: Set[tuple[str, str]],
    suppressed: set[tuple[str, str]],
    now: int,
    workspace_default: str,
) -> Refused | str:
    """The address to send to, or the refusal. `vetoes` are (channel, topic) of this person; `suppressed` addresses."""
    if message.reason is not None:
        return Refused("skipped", message.reason)
    if person is None:
        return Refused("skipped", "erased")
    if now > message.expires_at:
        return Refused("expired", None)
    if not message.template:  # it goes to a system, and brought its words along
        return ""
    channel = all_channels().get(message.channel)
    address = message.to
    if address is None and channel is not None:
        address = address_of(channel, person.traits, person.known.devices, person.id)
    if channel is None or address is None:
        return Refused("skipped", "no_address")
    if not channel.is_valid(address):
        return Refused("skipped", "invalid_address")
    key = key_of(message.channel, address)
    if (message.channel, key) in suppressed:
        return Refused("skipped", "suppressed")
    if not message.transactional and vetoes & {(message.channel, ""), (message.channel, message.topic or "")}:
        return Refused("skipped", "no_consent")
    part, exempt = (message.channel, message.topic), message.transactional
    reason = refusal(person.consent, *part, exempt, workspace_default, key, now=now)
    return Refused("skipped", reason) if reason else address

"""Grants a message, or refuses it with a reason. Pure; the claim may later only refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from kizuna.channels import all_channels
from kizuna.consent.decide import refusal
from kizuna.core import clock, exact_json, ids
from kizuna.engine.slice import Scope
from kizuna.messages.message import CancelPlanned, PlanMessage

EXPIRES_DEFAULT = "72h"


class SendRequest(Struct, frozen=True, kw_only=True):
    """What a step, a campaign or the API wants said. `occurrence` must differ whenever it may be said again."""

    channels: Sequence[str]  # the first reachable one is taken
    template: str
    purpose: str  # journey:name:step, campaign:name, api
    occurrence: str  # the run (and visit), the launch
    topic: str | None = None
    transactional: bool = False
    holdout: bool = False  # tracked as if sent
    journey: str | None = None
    run: str | None = None
    step: str | None = None
    campaign: str | None = None
    variant: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    event: bytes | None = None  # JSON of the entry event: {event, properties, timestamp}
    expires: str = EXPIRES_DEFAULT


class Chosen(Struct, frozen=True):
    """A channel with its address, or why there is none."""

    channel: str
    address: str | None
    reason: str | None


def request(scope: Scope, wanted: SendRequest) -> bytes | None:
    """Plan the message; None when it was refused (recorded as `message_skipped`)."""
    chosen = choose(scope, wanted)
    message = message_id(scope.record.id, wanted.purpose, wanted.occurrence, chosen.channel)
    versions = (scope.program.get("messages") or {}).get("templates")
    version = 0 if versions is None else versions.get(wanted.template, 0)
    reason = "holdout" if wanted.holdout else chosen.reason
    if reason is None and versions is not None and not version:
        reason = "template_error"
    _plan(scope, wanted, message, chosen, version, reason)
    return message if reason is None else None


def choose(scope: Scope, wanted: SendRequest) -> Chosen:
    """The first channel of the list on which the customer may be reached."""
    refused: Chosen | None = None
    for channel in wanted.channels:
        found = _reach(scope, wanted, channel)
        if found.reason is None:
            return found
        refused = refused or found
    return refused or Chosen("email", None, "no_address")


def _reach(scope: Scope, wanted: SendRequest, channel: str) -> Chosen:
    known = all_channels().get(channel)
    if known is None:
        return Chosen(channel, None, "no_provider")
    address = known.address(scope.record["profiles"].traits)
    if address is None:
        return Chosen(channel, None, "no_address")
    if not known.is_valid(address):
        return Chosen(channel, address, "invalid_address")
    consent = scope.record["consent"]
    reason = refusal(consent, channel, wanted.topic, wanted.transactional, scope.workspace.consent, address)
    return Chosen(channel, address, reason)


def message_id(profile: bytes, purpose: str, occurrence: str, channel: str) -> bytes:
    """(purpose, profile, occurrence, channel) names a message; it exists at most once."""
    return ids.derive("message", purpose, profile, occurrence, channel)


def _plan(scope: Scope, wanted: SendRequest, message: bytes, chosen: Chosen, version: int, reason: str | None) -> None:
    said = {"message": ids.show("msg", message), "channel": chosen.channel, "template": wanted.template}
    for name in ("journey", "run", "step", "campaign", "variant", "topic"):
        if value := getattr(wanted, name):
            said[name] = value
    fact = scope.emit("message_planned" if reason is None else "message_skipped", said | _reason(reason))
    row = PlanMessage(
        id=message, profile=scope.record.id, state="planned" if reason is None else "skipped",
        channel=chosen.channel, purpose=wanted.purpose, occurrence=wanted.occurrence, template=wanted.template,
        template_version=version, journey=wanted.journey, run=wanted.run, step=wanted.step, campaign=wanted.campaign,
        variant=wanted.variant, topic=wanted.topic, transactional=wanted.transactional,
        data=exact_json.encode(wanted.data).decode(), event=wanted.event, at=scope.now, due_at=scope.now,
        expires_at=clock.after(scope.now, clock.duration(wanted.expires), scope.workspace.zone), root=scope.root,
        address=chosen.address, reason=reason, caused_by=fact.id,
    )  # fmt: skip
    scope.ask(row)


def _reason(reason: str | None) -> dict[str, str]:
    return {} if reason is None else {"reason": reason}


def cancel(scope: Scope, run: str) -> None:
    """The run ended: what it planned and nobody claimed becomes `skipped(exited)`."""
    scope.ask(CancelPlanned(scope.record.id, run, scope.now))

"""Grants a message, or refuses it with a reason. Pure; the claim may later only refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from kizuna.channels import address_of, all_channels, expires_of, key_of
from kizuna.consent.decide import refusal
from kizuna.consent.terms import Terms
from kizuna.core import clock, exact_json, ids
from kizuna.engine.slice import Scope
from kizuna.messages.hold import after_plans, asking, hold, leave_queue, release, reserve
from kizuna.messages.message import ANSWER, NEVER, TEST, CancelPlanned, PlanMessage
from kizuna.messages.permit import FREQUENCY_CAP, HOLDOUT, Elsewhere, Go, Hold, No, is_held_out, permit
from kizuna.messages.policy import Policy
from kizuna.messages.section import Held, Messages

WEBHOOK = "webhook"  # the channel of what goes to systems, not to people: it has no address and asks no consent


class SendRequest(Struct, frozen=True, kw_only=True):
    """What a step, a campaign or the API wants said. `occurrence` must differ whenever it may be said again."""

    channels: Sequence[str]  # the first reachable one is taken
    template: str
    purpose: str  # journey:name:step, campaign:name, api, to, answer
    occurrence: str  # the run (and visit), the launch
    topic: str | None = None
    transactional: bool = False
    holdout: bool = False  # tracked as if sent
    provider: str | None = None  # a web hook names its carrier, and brings its words as `data.body`
    to: str | None = None  # an address, instead of that of the customer
    refused: str | None = None  # the reason, where who asks knows already that it is not to be said
    journey: str | None = None
    run: str | None = None
    step: str | None = None
    campaign: str | None = None
    variant: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    event: bytes | None = None  # JSON of the entry event: {event, properties, timestamp}
    expires: str = ""  # as the channel has it


class Chosen(Struct, frozen=True):
    """A channel with its address and when it may go there, or why it may not."""

    channel: str
    address: str | None
    reason: str | None
    due_at: int = 0  # 0: now
    held: Hold | None = None  # it waits for room under its caps
    message: bytes | None = None  # its id, where it is known already


class Outcome(Struct, frozen=True):
    """What became of a request; without a reason it was granted, perhaps for later."""

    message: bytes
    reason: str | None

    @property
    def is_exposed(self) -> bool:
        """Whether it is said, or was withheld by lot alone: the two are compared."""
        return self.reason in (None, HOLDOUT)


def request(scope: Scope, wanted: SendRequest) -> bytes | None:
    """Plan the message; None when it was refused (recorded as `message_skipped`)."""
    message, reason = _decide(scope, wanted)
    return message if reason is None else None


def decide(scope: Scope, wanted: SendRequest) -> Outcome:
    """Plan the message or record why not."""
    return Outcome(*_decide(scope, wanted))


def _decide(scope: Scope, wanted: SendRequest) -> tuple[bytes, str | None]:
    compiled = scope.program.get("messages") or {}
    policy: Policy | None = None if wanted.transactional or wanted.refused else compiled.get("policy")
    topics = compiled.get("topics")
    if wanted.provider is not None:
        is_known = wanted.provider in compiled.get("hooks", ())
        chosen = Chosen(WEBHOOK, "", None if is_known else "no_provider")
    else:
        chosen = choose(scope, wanted, topics) if policy is None else _choose_within(scope, wanted, topics, policy)
    message = chosen.message or message_id(scope.record.id, wanted.purpose, wanted.occurrence, chosen.channel)
    versions = compiled.get("templates")
    version = 0 if versions is None else versions.get(wanted.template, 0)
    reason = wanted.refused or chosen.reason
    has_words = wanted.provider is not None or wanted.purpose == ANSWER
    if reason is None and versions is not None and not version and not has_words:
        reason = "template_error"
    holdout = wanted.holdout or (policy is not None and is_held_out(policy, scope.record.id))
    if reason is None and holdout and chosen.held is None:
        reason = HOLDOUT
    if policy is not None and reason in (None, HOLDOUT) and chosen.held is None:
        reserve(scope, policy, message, chosen.channel, wanted.topic, chosen.due_at or scope.now)
    said = _plan(scope, wanted, message, chosen, version, reason)
    if reason is None and chosen.held is not None:
        waiting = Held(
            message, chosen.channel, wanted.topic, chosen.held.until, _expires_at(scope, wanted, chosen.channel),
            wanted.run, holdout, exact_json.encode(said),
        )  # fmt: skip
        hold(scope, waiting, chosen.held.retry_at)
    return message, reason


Topics = Mapping[str, str] | None  # what `neutral` means for those that say so


def choose(scope: Scope, wanted: SendRequest, topics: Topics = None) -> Chosen:
    """The first channel of the list on which the customer may be reached."""
    refused: Chosen | None = None
    for channel in wanted.channels:
        found = _reach(scope, wanted, channel, topics)
        if found.reason is None:
            return found
        refused = refused or found
    return refused or Chosen("email", None, "no_address")


def _choose_within(scope: Scope, wanted: SendRequest, topics: Topics, policy: Policy) -> Chosen:
    """The first channel on which the customer may be reached and that no cap sends on to the next."""
    section: Messages = scope.record["messages"]
    if section.held:
        release(scope)  # those who waited until now come first
    refused: Chosen | None = None
    for channel in wanted.channels:
        found = _reach(scope, wanted, channel, topics)
        if found.reason is None:
            message = message_id(scope.record.id, wanted.purpose, wanted.occurrence, channel)
            asked = asking(scope, message, channel, wanted.topic, _expires_at(scope, wanted, channel))
            match permit(policy, section.grants, section.held, asked):
                case Go(due_at=due_at):
                    return Chosen(channel, found.address, None, due_at if due_at > scope.now else 0, None, message)
                case Hold() as held:
                    return Chosen(channel, found.address, None, NEVER, held, message)
                case No(reason=reason):
                    return Chosen(channel, found.address, reason)
                case Elsewhere():
                    found = Chosen(channel, found.address, FREQUENCY_CAP)
        refused = refused or found
    return refused or Chosen("email", None, "no_address")


def _reach(scope: Scope, wanted: SendRequest, channel: str, topics: Topics) -> Chosen:
    known = all_channels().get(channel)
    if known is None:
        return Chosen(channel, None, "no_provider")
    profile = scope.record["profiles"]
    address = wanted.to or address_of(known, profile.traits, profile.devices, scope.record.id)
    if address is None:
        return Chosen(channel, None, "no_address")
    if not known.is_valid(address):
        return Chosen(channel, address, "invalid_address")
    neutral = neutral_of(scope, channel, wanted.topic, topics)
    consent, exempt, key = scope.record["consent"], wanted.transactional, key_of(channel, address)
    reason = refusal(consent, channel, wanted.topic, exempt, neutral, key, now=scope.now)
    return Chosen(channel, address, reason)


def neutral_of(scope: Scope, channel: str, topic: str | None, topics: Topics) -> str:
    """What no choice means for this customer here: as the topic says, else the workspace, and no laxer than a law."""
    said = topics.get(topic, scope.workspace.consent) if topics and topic else scope.workspace.consent
    terms: Terms | None = scope.program.get("consent")
    return said if terms is None else terms.neutral(said, channel, topic, scope.record["profiles"].traits)


def message_id(profile: bytes, purpose: str, occurrence: str, channel: str) -> bytes:
    """(purpose, profile, occurrence, channel) names a message; it exists at most once."""
    return ids.derive("message", purpose, profile, occurrence, channel)


def _plan(
    scope: Scope, wanted: SendRequest, message: bytes, chosen: Chosen, version: int, reason: str | None
) -> dict[str, Any]:
    """Write the row and its fact; what the fact says of the message."""
    said = {"message": ids.show("msg", message), "channel": chosen.channel}
    said |= {"provider": wanted.provider} if wanted.provider else {"template": wanted.template}
    said |= {"test": True} if wanted.purpose == TEST else {}
    for name in ("journey", "run", "step", "campaign", "variant", "topic"):
        if value := getattr(wanted, name):
            said[name] = value
    why = _why(chosen, reason) if reason or chosen.due_at else None
    fact = scope.emit("message_planned" if reason is None else "message_skipped", said | why if why else said)
    row = PlanMessage(
        id=message, profile=scope.record.id, state="planned" if reason is None else "skipped",
        channel=chosen.channel, purpose=wanted.purpose, occurrence=wanted.occurrence, template=wanted.template,
        template_version=version, journey=wanted.journey, run=wanted.run, step=wanted.step, campaign=wanted.campaign,
        variant=wanted.variant, topic=wanted.topic, transactional=wanted.transactional,
        data=exact_json.encode(wanted.data).decode() if wanted.data else "{}", event=wanted.event, at=scope.now,
        due_at=(chosen.due_at or scope.now) if reason is None else scope.now,
        expires_at=_expires_at(scope, wanted, chosen.channel), root=scope.root, address=chosen.address, reason=reason,
        caused_by=fact.id, provider=wanted.provider,
    )  # fmt: skip
    scope.ask(row)
    return said


def _expires_at(scope: Scope, wanted: SendRequest, channel: str) -> int:
    return clock.after(scope.now, clock.duration(wanted.expires or expires_of(channel)), scope.workspace.zone)


def _why(chosen: Chosen, reason: str | None) -> dict[str, Any]:
    """Of a skip its reason, of a message that goes later since when or until when it waits."""
    if reason is not None:
        return {"reason": reason}
    if chosen.held is not None:
        return {"held": FREQUENCY_CAP, "until": clock.show(chosen.held.until)}
    return {"due_at": clock.show(chosen.due_at)} if chosen.due_at else {}


def cancel(scope: Scope, run: str) -> None:
    """The run ended: what it planned and nobody claimed becomes `skipped(exited)`."""
    leave_queue(scope, run)
    after_plans(scope, CancelPlanned(scope.record.id, run, scope.now))

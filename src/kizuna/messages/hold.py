"""The queue of one profile: messages that wait for room under their caps, released or ended in their order. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from kizuna.core import clock, exact_json
from kizuna.engine.slice import Scope
from kizuna.messages.message import EndPlanned, MovePlanned, PlanMessage
from kizuna.messages.permit import FREQUENCY_CAP, HOLDOUT, Asked, Go, Hold, No, permit, still_counts
from kizuna.messages.policy import Policy
from kizuna.messages.section import Grant, Held, Messages
from kizuna.profiles.section import zone_of


def policy_of(scope: Scope) -> Policy | None:
    """The policy that rules, or None where none was ever published: then nothing is counted nor held."""
    compiled = scope.program.get("messages")
    return compiled.get("policy") if compiled else None


def asking(scope: Scope, message: bytes, channel: str, topic: str | None, expires_at: int) -> Asked:
    known = scope.record["profiles"]
    return Asked(
        message=message, channel=channel, topic=topic, now=scope.now, expires_at=expires_at,
        zone=zone_of(scope.record, scope.workspace), spread=scope.workspace.clock != "test", own_zone=known.zone,
        traits=known.traits,
    )  # fmt: skip


def reserve(scope: Scope, policy: Policy, message: bytes, channel: str, topic: str | None, at: int) -> None:
    """Count it against the caps from `at` on."""
    if not any(cap.counts(channel, topic) for cap in policy.caps):
        return
    section: Messages = scope.record["messages"]
    if any(each.message == message for each in section.grants):
        return
    kept = still_counts(policy, section.grants, scope.now, zone_of(scope.record, scope.workspace))
    section.grants = [*kept, Grant(message, at, channel, topic)]
    scope.record.touch("messages")


def hold(scope: Scope, held: Held, retry_at: int) -> None:
    """Put it at the end of the queue."""
    section: Messages = scope.record["messages"]
    section.held.append(held)
    scope.record.touch("messages")
    _wake_by(section, scope.now, held.until, retry_at)


def release(scope: Scope) -> None:
    """Let go what there is room for, in order; end what waited too long; ask to be woken for the rest."""
    section: Messages = scope.record["messages"]
    policy = policy_of(scope) or Policy()
    waiting, section.held, section.wake_at = section.held, [], 0
    scope.record.touch("messages")
    for held in waiting:
        asked = asking(scope, held.message, held.channel, held.topic, held.expires_at)
        match permit(policy, section.grants, section.held, asked):
            case Go(due_at=due_at):
                _let_go(scope, policy, held, due_at)
            case No(reason=reason) if reason != FREQUENCY_CAP:
                _end(scope, held, "skipped", reason)
            case verdict if scope.now < held.until:  # also where a cap that held became one that skips
                section.held.append(held)
                _wake_by(section, scope.now, held.until, verdict.retry_at if isinstance(verdict, Hold) else 0)
            case _:
                _end(scope, held, "expired", FREQUENCY_CAP)


def _let_go(scope: Scope, policy: Policy, held: Held, due_at: int) -> None:
    reserve(scope, policy, held.message, held.channel, held.topic, due_at)
    if held.holdout:
        _end(scope, held, "skipped", HOLDOUT)
        return
    scope.emit("message_released", {**exact_json.decode(held.said), "due_at": clock.show(due_at)})
    after_plans(scope, MovePlanned(held.message, due_at))


def _end(scope: Scope, held: Held, state: str, reason: str) -> None:
    scope.emit(f"message_{state}", {**exact_json.decode(held.said), "reason": reason})
    after_plans(scope, EndPlanned(held.message, state, reason, scope.now))


def _wake_by(section: Messages, now: int, *instants: int) -> None:
    later = [each for each in (section.wake_at, *instants) if each > now]
    section.wake_at = min(later, default=0)


def give_back(scope: Scope, message: bytes) -> None:
    """It will not be sent: it no longer counts, nor waits; who waits may have its room."""
    section: Messages = scope.record["messages"]
    grants = [each for each in section.grants if each.message != message]
    held = [each for each in section.held if each.message != message]
    if len(grants) == len(section.grants) and len(held) == len(section.held):
        return
    section.grants, section.held = grants, held
    scope.record.touch("messages")
    if held:
        release(scope)


def move(scope: Scope, message: bytes, due_at: int) -> None:
    """The claim handed it back: it goes later, and counts from then on."""
    section: Messages = scope.record["messages"]
    for place, each in enumerate(section.grants):
        if each.message == message:
            section.grants[place] = msgspec.structs.replace(each, at=due_at)
            scope.record.touch("messages")


def leave_queue(scope: Scope, run: str) -> None:
    """The run ended: what it wanted to say waits no more."""
    if policy_of(scope) is None:
        return  # nothing was ever held
    section: Messages = scope.record["messages"]
    if any(each.run == run for each in section.held):
        section.held = [each for each in section.held if each.run != run]
        scope.record.touch("messages")


def after_plans(scope: Scope, effect: Any) -> None:
    """Rows are planned before they are changed, also where both follow from one batch: effects keep their order."""
    scope.effects.other.setdefault(PlanMessage, [])
    scope.ask(effect)

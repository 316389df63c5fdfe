"""Why a message was not sent: the rule that forbade it, and what it saw of the customer at that instant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, to_builtins

from kizuna.channels import address_of, all_channels
from kizuna.consent.decide import state
from kizuna.consent.section import Consent
from kizuna.core import clock, ids
from kizuna.insight.why.link import Link
from kizuna.insight.why.rule import shown
from kizuna.messages.cap import CALENDAR, SLIDING
from kizuna.messages.grant import neutral_of
from kizuna.messages.policy import Policy
from kizuna.messages.section import Messages
from kizuna.profiles.past import Then

UNSENT = ("skipped", "rejected", "expired", "unknown")


class Ledger(Struct, frozen=True):
    """A row of the ledger of messages."""

    state: str
    reason: str | None
    channel: str
    topic: str | None
    transactional: bool
    journey: str | None
    campaign: str | None
    run: str | None
    template: str | None
    template_version: int | None
    address: str | None
    planned_at: int
    expires_at: int


def refused(row: Ledger, at: int, then: Then, definition: tuple[int, Mapping[str, Any]] | None, left: Any) -> Link:
    """`definition` is the journey's or campaign's (version, body), `left` what the run's exit said."""
    version = definition[0] if definition else None
    rule, seen = _rule(row, then, definition[1] if definition else {}, left)
    return {
        "at": clock.show(at), "rule": rule, "seen": shown(seen), "version": version, "outcome": row.reason or row.state
    }  # fmt: skip


def _rule(row: Ledger, then: Then, body: Mapping[str, Any], left: Any) -> tuple[Any, Any]:
    record = then.scope.record
    consent: Consent = record["consent"]
    profile = record["profiles"]
    match row.reason:
        case "holdout":
            return _holdout(row, then, body)
        case "no_consent":
            topics = (then.scope.program.get("messages") or {}).get("topics")
            neutral = neutral_of(then.scope, row.channel, row.topic, topics)
            asked = {"channel": row.channel, "topic": row.topic, "neutral_means": neutral}
            topic = state(consent, row.channel, row.topic) if row.topic else None
            return {"consent": asked}, {"channel": state(consent, row.channel), "topic": topic}
        case "suppressed":
            about = consent.suppressed_address.get(row.channel) or row.address
            return {"suppressed": row.channel}, {"because": consent.suppressed.get(row.channel), "address": about}
        case "no_address" | "invalid_address":
            known = all_channels().get(row.channel)
            found = address_of(known, profile.traits, profile.devices, record.id) if known else None
            return {"address": row.channel}, found
        case "exited":
            return {"exit": body.get("exit", [])}, left
        case "frequency_cap" | "quiet_hours_expired":
            section: Messages = record["messages"]
            counted = [
                {"channel": each.channel, "topic": each.topic, "at": clock.show(each.at)} for each in section.grants
            ]
            policy = (then.scope.program.get("messages") or {}).get("policy")
            ruled = _caps(policy) if row.reason == "frequency_cap" else _quiet(policy)
            return {"policy": ruled}, {"zone": _zone(then), "counted": counted}
        case "expired" | "template_error" | "aborted" | "no_code":
            template = {"template": row.template, "version": row.template_version}
            return template, {"expires_at": clock.show(row.expires_at)}
        case _:
            return row.reason or row.state, {"channel": row.channel, "address": row.address}


def _holdout(row: Ledger, then: Then, body: Mapping[str, Any]) -> tuple[Any, Any]:
    """The definition's own, or that of all messages; a share is stable for a customer."""
    profile = then.scope.record.id
    name = row.journey or row.campaign or ""
    entry = body.get("entry") if row.journey else body
    share = entry.get("holdout", 0) if isinstance(entry, dict) else 0
    bucket = ids.bucket("holdout", name, profile)
    if bucket < float(share) * 100:
        return {"holdout": share}, {"share": bucket / 100}
    policy = (then.scope.program.get("messages") or {}).get("policy")
    return {"holdout": policy.holdout if policy else share, "of": "policy"}, {
        "share": ids.bucket("holdout", profile) / 100
    }


def _caps(policy: Policy | None) -> dict[str, Any]:
    """Those that rule, as they would be written; the ceiling of a day is one of them."""
    return {
        "caps": [
            {
                "channel": each.channel,
                "topic": each.topic,
                "max": each.max,
                "per": clock.show_duration(each.per),
                "window": CALENDAR if each.period else SLIDING,
                "then": each.then,
            }
            for each in (policy.caps if policy else ())
        ]
    }


def _quiet(policy: Policy | None) -> dict[str, Any]:
    ruled = {"quiet_hours": policy.quiet_hours, "by": policy.quiet_by} if policy else {}
    return to_builtins(ruled, enc_hook=str)


def _zone(then: Then) -> str:
    return then.scope.record["profiles"].zone or then.scope.workspace.zone

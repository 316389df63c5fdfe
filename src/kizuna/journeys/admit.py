"""Who may enter: trigger, age, key, audience, earlier runs; and the first steps of a new run."""

from __future__ import annotations

from typing import Any

from kizuna.core import clock, exact_json
from kizuna.engine.moment import Moment
from kizuna.journeys.advance import go
from kizuna.journeys.judge import judge
from kizuna.journeys.key import key_of, text_of
from kizuna.journeys.program import Plan
from kizuna.journeys.run import Run, entry_event, in_holdout, run_id
from kizuna.journeys.turn import Turn

MOST_OPEN = 100  # runs of one profile in one journey


def admit_by_event(turn: Turn, plan: Plan, moment: Moment) -> None:
    """The moment may begin a run of this journey."""
    entry = plan.journey.entry
    if not entry.trigger or not entry.trigger.matches(moment, turn.zone):
        return
    if clock.before(turn.now, entry.max_age, turn.zone) > moment.timestamp:
        return
    key = key_of(entry.key, moment) if entry.key else ""
    if key is not None:
        _admit(turn, plan, key, {}, entry_event(moment), moment.id)


def admit_by_calendar(turn: Turn, plan: Plan, slot: int) -> None:
    """A local time of the journey's schedule or anniversary has come."""
    cause = f"calendar:{plan.journey.name}:{slot}"
    _admit(turn, plan, "", {}, _said("schedule", turn, {}, cause), cause)


def admit_by_api(turn: Turn, moment: Moment) -> None:
    """`POST .../enter`, or a member at the time of publishing. Who asked for one profile is told of a refusal."""
    asked = moment.properties
    plan = turn.program.newest.get(asked.get("journey", ""))
    if plan is None:
        return
    if "member_of" in asked:
        refused = "" if _is_member(turn, plan, asked["member_of"]) else "not_a_member"
    else:
        refused = "" if plan.journey.entry.is_by_api else "not_api_entry"
    data = asked.get("data") or {}
    key = text_of(asked["key"]) if asked.get("key") is not None else ""
    if refused:
        _refuse(turn, plan, key, refused)
    else:
        _admit(turn, plan, key, data, _said("enter", turn, data, moment.id), moment.id)


def _is_member(turn: Turn, plan: Plan, segment: str) -> bool:
    """Whether the journey begins by that segment, and the profile did not leave it meanwhile."""
    trigger, segments = plan.journey.entry.trigger, turn.scope.record.get("segments")
    return trigger is not None and trigger.segment == segment and (not segments or segment in segments.member_of)


def admit_by_step(turn: Turn, journey: str, data: dict[str, Any], cause: str) -> None:
    """An `enter` step of another run."""
    plan = turn.program.newest.get(journey)
    if plan is None:
        turn.count(journey, "refused")
    elif not plan.journey.entry.is_by_api:
        _refuse(turn, plan, "", "not_api_entry")
    else:
        _admit(turn, plan, "", data, _said("enter", turn, data, cause), cause)


def _said(event: str, turn: Turn, properties: dict[str, Any], cause: str) -> bytes:
    """What templates see as `event` where no event began the run."""
    return exact_json.encode({"id": cause, "event": event, "properties": properties, "timestamp": clock.show(turn.now)})


def _admit(turn: Turn, plan: Plan, key: str, data: dict[str, Any], event: bytes, cause: str) -> None:
    journey = plan.journey
    is_asked = journey.entry.is_by_api
    if not turn.is_active(journey.name):
        if is_asked:
            _refuse(turn, plan, key, turn.program.status[journey.name])
        return
    audience = journey.entry.audience
    if audience and not turn.rules.holds(turn.scope, audience.key):
        if is_asked:
            _refuse(turn, plan, key, "audience")
        return
    refused = "key" if bool(journey.entry.key) != bool(key) else _refusal(turn, plan, key)
    if not refused:
        _begin(turn, plan, key, data, event, cause)
    elif is_asked or refused == "most_open":
        _refuse(turn, plan, key, refused)
    else:
        turn.count(journey.name, "refused")


def _refuse(turn: Turn, plan: Plan, key: str, reason: str) -> None:
    """Count it, and where somebody asked for this entry, or it is out of the ordinary, say so."""
    turn.count(plan.journey.name, "refused")
    said = {"journey": plan.journey.name, "version": plan.version, "reason": reason, **({"key": key} if key else {})}
    turn.scope.emit("journey_refused", said)


def _refusal(turn: Turn, plan: Plan, key: str) -> str:
    """Why earlier runs, of any version, do not allow another; empty when they do."""
    name, again = plan.journey.name, plan.journey.entry.again
    opened = [run for run in turn.section.open if run.journey == name]
    if len(opened) >= MOST_OPEN:
        return "most_open"
    if again.kind == "always":
        return ""
    if any(run.key == key for run in opened):
        return "open"
    last = turn.section.last(name, key)
    if last is None or again.kind == "after_exit":
        return ""
    may = again.kind == "after" and clock.after(last.entered_at, again.length, turn.zone) <= turn.now
    return "" if may else "again"


def _begin(turn: Turn, plan: Plan, key: str, data: dict[str, Any], event: bytes, cause: str) -> None:
    name, profile = plan.journey.name, turn.scope.record.id
    run = Run(
        id=run_id(name, profile, key, cause),
        journey=name,
        version=plan.version,
        key=key,
        entered_at=turn.now,
        began=turn.since,
        event=event,
        data=exact_json.encode(data) if data else b"{}",
        holdout=in_holdout(name, profile, plan.journey.entry.holdout),
    )
    turn.section.open.append(run)
    turn.count(name, "entered")
    turn.count(name, "active")
    turn.record(run, "journey_entered", **({"key": key} if key else {}), **({"holdout": True} if run.holdout else {}))
    if plan.judges_rules:
        moment, turn.moment = turn.moment, None  # the event that began the run is neither its goal nor its exit
        still_open = judge(turn, run, plan)
        turn.moment = moment
        if not still_open:
            return
    go(turn, run, plan.journey, plan.journey.first)

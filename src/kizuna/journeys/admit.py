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


def admit_by_api(turn: Turn, moment: Moment) -> None:
    """`POST .../enter`, or a member at the time of publishing."""
    asked = moment.properties
    plan = turn.program.newest.get(asked.get("journey", ""))
    if plan is None:
        return
    trigger = plan.journey.entry.trigger
    if trigger and asked.get("member_of") != trigger.segment:
        turn.count(plan.journey.name, "refused")
        return
    data = asked.get("data") or {}
    key = text_of(asked["key"]) if asked.get("key") is not None else ""
    event = {"id": moment.id, "event": "enter", "properties": data, "timestamp": clock.show(turn.now)}
    _admit(turn, plan, key, data, exact_json.encode(event), moment.id)


def admit_by_step(turn: Turn, journey: str, data: dict[str, Any], cause: str) -> None:
    """An `enter` step of another run."""
    plan = turn.program.newest.get(journey)
    if plan is None or plan.journey.entry.trigger:
        turn.count(journey, "refused")
        return
    event = {"id": cause, "event": "enter", "properties": data, "timestamp": clock.show(turn.now)}
    _admit(turn, plan, "", data, exact_json.encode(event), cause)


def _admit(turn: Turn, plan: Plan, key: str, data: dict[str, Any], event: bytes, cause: str) -> None:
    journey = plan.journey
    if not turn.is_active(journey.name):
        return
    audience = journey.entry.audience
    if audience and not turn.rules.holds(turn.scope, audience.key):
        return
    if bool(journey.entry.key) != bool(key) or not _may_again(turn, plan, key):
        turn.count(journey.name, "refused")
        return
    _begin(turn, plan, key, data, event, cause)


def _may_again(turn: Turn, plan: Plan, key: str) -> bool:
    """What earlier runs, of any version, allow."""
    name, again = plan.journey.name, plan.journey.entry.again
    opened = [run for run in turn.section.open if run.journey == name]
    if len(opened) >= MOST_OPEN:
        return False
    if again.kind == "always":
        return True
    if any(run.key == key for run in opened):
        return False
    last = turn.section.last(name, key)
    if last is None or again.kind == "after_exit":
        return True
    return again.kind == "after" and clock.after(last.entered_at, again.length, turn.zone) <= turn.now


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
        data=exact_json.encode(data),
        holdout=in_holdout(name, profile, plan.journey.entry.holdout),
    )
    turn.section.open.append(run)
    turn.count(name, "entered")
    turn.count(name, "active")
    turn.record(run, "journey_entered", **({"key": key} if key else {}), **({"holdout": True} if run.holdout else {}))
    moment, turn.moment = turn.moment, None  # the event that began the run is neither its goal nor its exit
    still_open = judge(turn, run, plan)
    turn.moment = moment
    if still_open:
        go(turn, run, plan.journey, plan.journey.first)

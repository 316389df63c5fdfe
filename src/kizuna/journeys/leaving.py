"""The ways out of a journey and its goal, as written."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from kizuna.core.clock import Duration
from kizuna.journeys.problems import Problems, Ruled
from kizuna.journeys.trigger import Trigger, parse_trigger

FORMS = ("event", "rule", "segment_left", "goal", "opted_out")


class Exit(Struct, frozen=True):
    """One way out and its reason: by what happened, by what is true, or by the goal."""

    reason: str  # exit_event exit_rule segment_left goal unsubscribed
    trigger: Trigger | None = None
    rule: Ruled | None = None
    segment: str = ""  # left by leaving it; `rule` says whether one is inside


class Goal(Struct, frozen=True):
    trigger: Trigger
    within: Duration | None  # after entry, edge included; None: as long as the run is open
    value: str = ""  # path of the value in the event


def parse_exits(raw: Any, problems: Problems) -> tuple[Exit, ...]:
    if not isinstance(raw, list):
        problems.note("/exit", "not_a_list", "write a list of exits")
        return ()
    found = (_exit(each, f"/exit/{index}", problems) for index, each in enumerate(raw))
    return tuple(each for each in found if each is not None)


def _exit(raw: Any, pointer: str, problems: Problems) -> Exit | None:
    document = problems.object(raw, pointer, (*FORMS, "where"))
    forms = [form for form in FORMS if form in document]
    if len(forms) != 1:
        problems.note(pointer, "no_exit", f"name exactly one of {', '.join(FORMS)}")
        return None
    match forms[0]:
        case "rule":
            return Exit("exit_rule", rule=problems.rule(document["rule"], f"{pointer}/rule"))
        case "goal":
            if document["goal"] is not True:
                problems.note(f"{pointer}/goal", "invalid_exit", "write {goal: true}")
            return Exit("goal")
        case "opted_out":
            channel = problems.text(document["opted_out"], f"{pointer}/opted_out", "a channel, such as email")
            rule = {"consent": {"channel": channel}, "is": "opted_out"}
            return Exit("unsubscribed", rule=problems.rule(rule, f"{pointer}/opted_out")) if channel else None
        case "segment_left":
            name = problems.text(document["segment_left"], f"{pointer}/segment_left", "the segment's name")
            if not name:
                return None
            inside = problems.rule({"in_segment": name}, f"{pointer}/segment_left")
            return Exit("segment_left", rule=inside, segment=name)
    return Exit("exit_event", trigger=parse_trigger(raw, pointer, problems))


def parse_goal(raw: Any, problems: Problems) -> Goal:
    trigger = parse_trigger(raw, "/goal", problems, also=("within", "value"))
    document = raw if isinstance(raw, dict) else {}
    value = document.get("value", "")
    if value and not (isinstance(value, str) and value.startswith("properties.")):
        problems.note("/goal/value", "invalid_path", "name a property of the event, such as properties.total")
        value = ""
    within = problems.duration(document["within"], "/goal/within") if "within" in document else None
    return Goal(trigger, within, value)

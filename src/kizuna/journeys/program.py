"""All journeys as one program: which listen to what, and which version each run stays on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from kizuna.engine.slice import Definition
from kizuna.journeys.definition import Journey, parse

ACTIVE, PAUSED, STOPPED = "active", "paused", "stopped"


class Plan(Struct, frozen=True):
    """One published version, with what it listens to while a run is open."""

    journey: Journey
    version: int
    heard: frozenset[str]  # names of events and facts that may end, reward or advance a run
    judges_rules: bool  # an exit depends on a rule, which anything may change


class Program(Struct, frozen=True):
    plans: dict[tuple[str, int], Plan]  # every version ever published
    newest: dict[str, Plan]
    status: dict[str, str]
    entries: dict[str, tuple[Plan, ...]]  # active ones, by the event or fact they begin with
    heard: frozenset[str]  # names that some run may listen to, or that may begin one
    judges_rules: bool  # a run of some version may be ended by anything

    def plan(self, journey: str, version: int) -> Plan | None:
        return self.plans.get((journey, version))


def compile_program(definitions: Iterable[Definition]) -> Program:
    plans: dict[tuple[str, int], Plan] = {}
    newest: dict[str, Definition] = {}
    for each in sorted((d for d in definitions if d.kind == "journey"), key=lambda d: d.introduced):
        newest[each.name] = each
        plans[each.name, each.version] = _plan(each)
    active: dict[str, list[Plan]] = {}
    for name in sorted(newest):
        plan = plans[name, newest[name].version]
        trigger = plan.journey.entry.trigger
        if newest[name].status == ACTIVE and trigger:
            active.setdefault(trigger.event, []).append(plan)
    return Program(
        plans=plans,
        newest={name: plans[name, each.version] for name, each in newest.items()},
        status={name: each.status for name, each in newest.items()},
        entries={event: tuple(listed) for event, listed in active.items()},
        heard=frozenset(active).union(*(plan.heard for plan in plans.values())),
        judges_rules=any(plan.judges_rules for plan in plans.values()),
    )


def _plan(definition: Definition) -> Plan:
    journey = parse(definition.name, definition.body)
    heard = {name for node in journey.steps.values() for name in node.step.events(node.settings)}
    heard |= {each.trigger.event for each in journey.exits if each.trigger}
    if journey.goal:
        heard.add(journey.goal.trigger.event)
    return Plan(journey, definition.version, frozenset(heard), any(each.rule for each in journey.exits))


def rules_in(definition: Definition) -> list[dict[str, Any]]:
    """The rules a published journey asks, as written: the segments slice keeps what they need. Others ask none."""
    if definition.kind != "journey":
        return []
    return [rule.raw for rule in parse(definition.name, definition.body).rules()]

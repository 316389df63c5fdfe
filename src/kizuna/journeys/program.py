"""All journeys as one program: which listen to what, and which version each run stays on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from kizuna.engine.slice import Definition
from kizuna.journeys.definition import Journey, parse
from kizuna.journeys.draw import EVENTS

ACTIVE, PAUSED, STOPPED = "active", "paused", "stopped"
JOURNEY, MIGRATION, BANDIT = "journey", "migration", "bandit"  # kinds of definitions


class Plan(Struct, frozen=True):
    """One published version, with what it listens to while a run is open."""

    journey: Journey
    version: int
    heard: frozenset[str]  # names of events and facts that may end, reward or advance a run
    judges_rules: bool  # an exit depends on a rule, which anything may change
    published_at: int = 0  # or resumed


class Migration(Struct, frozen=True):
    """A publish that moves open runs: who stands at a step named goes to the other, in `version`."""

    journey: str
    version: int
    steps: dict[str, str]
    introduced: int


class Program(Struct, frozen=True):
    plans: dict[tuple[str, int], Plan]  # every version ever published
    newest: dict[str, Plan]
    status: dict[str, str]
    entries: dict[str, tuple[Plan, ...]]  # active ones, by the event or fact they begin with
    timed: dict[str, Plan] = {}  # active ones that begin by the calendar, by name
    migrations: tuple[Migration, ...] = ()  # oldest first
    names: frozenset[str] = frozenset()  # of events and facts that a run of any of them may hear
    judges_rules: bool = False  # any of them
    bandits: dict[tuple[str, int, str], tuple[int, ...]] = {}  # weights by journey, version, step
    wins: frozenset[str] = frozenset()  # of reports by which a split learns
    changed: int = 0  # the program version that last moved runs or touched an entry by the calendar

    def plan(self, journey: str, version: int) -> Plan | None:
        return self.plans.get((journey, version))


def compile_program(definitions: Iterable[Definition]) -> Program:
    plans: dict[tuple[str, int], Plan] = {}
    newest: dict[str, Definition] = {}
    migrations: list[Migration] = []
    ever_timed: set[str] = set()
    changed = 0
    bandits: dict[tuple[str, int, str], tuple[int, ...]] = {}
    ours = (each for each in definitions if each.kind in (JOURNEY, MIGRATION, BANDIT))
    for each in sorted(ours, key=lambda d: d.introduced):
        if each.kind == BANDIT:
            said = each.body
            bandits[said["journey"], said["version"], said["step"]] = tuple(said["weights"])
            continue
        if each.kind == MIGRATION:
            migrations.append(Migration(each.name, each.body["version"], each.body["steps"], each.introduced))
        else:
            newest[each.name] = each
            plan = plans[each.name, each.version] = _plan(each)
            if plan.journey.entry.timed:
                ever_timed.add(each.name)
        if each.kind == MIGRATION or each.name in ever_timed:
            changed = each.introduced
    active = [plans[name, newest[name].version] for name in sorted(newest) if newest[name].status == ACTIVE]
    entries: dict[str, list[Plan]] = {}
    for plan in active:
        if trigger := plan.journey.entry.trigger:
            entries.setdefault(trigger.event, []).append(plan)
    return Program(
        plans=plans,
        newest={name: plans[name, each.version] for name, each in newest.items()},
        status={name: each.status for name, each in newest.items()},
        entries={event: tuple(listed) for event, listed in entries.items()},
        timed={plan.journey.name: plan for plan in active if plan.journey.entry.timed},
        migrations=tuple(migrations),
        names=frozenset[str]().union(*(plan.heard for plan in plans.values())),
        judges_rules=any(plan.judges_rules for plan in plans.values()),
        bandits=bandits,
        wins=_wins(plans.values()),
        changed=changed,
    )


def _wins(plans: Iterable[Plan]) -> frozenset[str]:
    nodes = [node for plan in plans for node in plan.journey.steps.values()]
    goals = {goal for node in nodes for goal in node.step.wins(node.settings)}
    return frozenset(event for event, goal in EVENTS.items() if goal in goals)


def _plan(definition: Definition) -> Plan:
    journey = parse(definition.name, definition.body)
    heard = {name for node in journey.steps.values() for name in node.step.events(node.settings)}
    heard |= {each.trigger.event for each in journey.exits if each.trigger}
    if journey.goal:
        heard.add(journey.goal.trigger.event)
    return Plan(
        journey, definition.version, frozenset(heard), any(each.rule for each in journey.exits), definition.published_at
    )


def rules_in(definition: Definition) -> list[dict[str, Any]]:
    """The rules a published journey asks, as written: the segments slice keeps what they need. Others ask none."""
    if definition.kind != JOURNEY:
        return []
    return [rule.raw for rule in parse(definition.name, definition.body).rules()]

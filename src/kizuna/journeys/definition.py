"""A journey as published: read from its document, everything that is wrong with it said at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from kizuna.core.errors import Unprocessable
from kizuna.journeys.entry import Entry, parse_entry
from kizuna.journeys.graph import check_graph
from kizuna.journeys.leaving import Exit, Goal, parse_exits, parse_goal
from kizuna.journeys.problems import Problems, Ruled
from kizuna.journeys.steps import END, Step, Target, all_steps

FIELDS = ("name", "title", "entry", "exit", "goal", "steps")
MOST_STEPS = 500
LATER = ("points", "coupon", "reward", "task", "survey", "audience_sync")  # steps still to come


class Node(Struct, frozen=True):
    """One step in its place."""

    id: str
    step: Step
    settings: Any
    next: str  # where it goes when it names nothing else: its `next`, else the step below, else END
    pointer: str
    counter: str  # what its counters' names begin with
    names_next: bool = False  # `next` was written

    def targets(self) -> Iterator[Target]:
        """Every way on."""
        yield from self.step.targets(self.settings)
        if self.step.falls_through(self.settings):
            yield Target(f"{self.pointer}/next" if self.names_next else self.pointer, self.next)


class Journey(Struct, frozen=True):
    name: str
    entry: Entry
    exits: tuple[Exit, ...]
    goal: Goal | None
    steps: dict[str, Node]  # in the order written
    first: str

    def rules(self) -> Iterator[Ruled]:
        """Every rule whose answer it may ask for."""
        if self.entry.audience:
            yield self.entry.audience
        yield from (each.rule for each in self.exits if each.rule)
        for node in self.steps.values():
            yield from node.step.rules(node.settings)


def parse(name: str, raw: Any) -> Journey:
    """Reads and checks the document of one journey; raises `Unprocessable` with every error."""
    problems = Problems()
    document = problems.object(raw, "", FIELDS)
    if document.get("name", name) != name:
        problems.note("/name", "name_differs", f"the address says {name!r}; write the same name or none")
    nodes = _nodes(name, document.get("steps"), problems)
    journey = Journey(
        name=name,
        entry=parse_entry(document.get("entry"), problems),
        exits=parse_exits(document.get("exit", []), problems),
        goal=parse_goal(document["goal"], problems) if document.get("goal") is not None else None,
        steps={node.id: node for node in nodes},
        first=nodes[0].id if nodes else END,
    )
    if any(each.reason == "goal" for each in journey.exits) and journey.goal is None:
        problems.note("/exit", "no_goal", "an exit by goal needs a `goal`")
    for node in nodes if journey.goal is None else ():
        if "goal" in node.step.wins(node.settings):
            problems.note(f"{node.pointer}/bandit/goal", "no_goal", "a split that learns by the goal needs a `goal`")
    if not any(each.code == "not_yet_supported" for each in problems.found):  # the ways past it are not known
        check_graph(nodes, problems)
    if problems.found:
        first = problems.found[0]
        raise Unprocessable(
            f"the journey cannot be published: {first.pointer or '/'}: {first.message}",
            code="invalid_journey",
            errors=problems.found,
        )
    return journey


def _nodes(journey: str, raw: Any, problems: Problems) -> list[Node]:
    listed = problems.items(raw, "/steps", "step")
    if len(listed) > MOST_STEPS:
        problems.note("/steps", "too_many", f"at most {MOST_STEPS} steps")
        return []
    ids = [each.get("id") if isinstance(each, dict) else None for each in listed]
    nodes: list[Node] = []
    for index, each in enumerate(listed):
        following = ids[index + 1] if index + 1 < len(ids) else END
        node = _node(journey, each, f"/steps/{index}", following if isinstance(following, str) else END, problems)
        if node is None:
            continue
        if node.id in {known.id for known in nodes}:
            problems.note(f"/steps/{index}/id", "duplicate_id", f"another step is called {node.id!r} already")
            continue
        nodes.append(node)
    return nodes


def _node(journey: str, raw: Any, pointer: str, following: str, problems: Problems) -> Node | None:
    kinds = all_steps()
    if not isinstance(raw, dict):
        problems.note(pointer, "not_an_object", "write a step as an object")
        return None
    named = [kind for kind in kinds if kind in raw]
    if not named and (later := [kind for kind in LATER if kind in raw]):
        message = f"the step {later[0]} is not built yet; leave it out until a version of Kizuna has it"
        problems.note(f"{pointer}/{later[0]}", "not_yet_supported", message)
        return None
    if len(named) != 1:
        problems.note(pointer, "unknown_step", f"a step holds exactly one of {', '.join(kinds)}")
        return None
    step = kinds[named[0]]
    problems.object(raw, pointer, ("id", "title", "next", step.name, *step.beside))
    name = raw.get("id")
    if not isinstance(name, str) or not name or name == END or ":" in name or len(name) > 100:
        problems.note(f"{pointer}/id", "invalid_id", f"give the step an id of its own, without `:`, not {END!r}")
        return None
    if "next" in raw:
        following = problems.text(raw["next"], f"{pointer}/next", "a step's id") or END
    settings = step.parse(raw, pointer, problems)
    return Node(name, step, settings, following, pointer, f"journey:{journey}:step:{name}:", "next" in raw)

"""The shape of a journey: every step leads somewhere, can be reached, and no loop runs without time passing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from kizuna.journeys.problems import Problems
from kizuna.journeys.steps import END, Step, Target


class Placed(Protocol):
    """What the shape needs to know of a node."""

    @property
    def id(self) -> str: ...
    @property
    def step(self) -> Step: ...
    @property
    def settings(self) -> Any: ...
    @property
    def pointer(self) -> str: ...
    def targets(self) -> Iterator[Target]: ...


def check_graph(nodes: Sequence[Placed], problems: Problems) -> None:
    by_id = {node.id: node for node in nodes}
    ways: dict[str, list[str]] = {}
    for node in nodes:
        ways[node.id] = []
        for target in node.targets():
            if target.id in by_id:
                ways[node.id].append(target.id)
            elif target.id not in (END, ""):
                problems.note(target.pointer, "unknown_next", f"no step is called {target.id!r}; `{END}` leaves")
    if not nodes:
        return
    reached = _reachable(nodes[0].id, ways)
    for node in nodes:
        if node.id not in reached:
            problems.note(node.pointer, "unreachable_step", f"no way leads to step {node.id!r}")
    hasty = {node.id: [to for to in ways[node.id] if not _waits(by_id[to])] for node in nodes if not _waits(node)}
    for name in _in_loops(hasty)[:1]:
        message = f"step {name!r} is in a loop without a wait: put a delay or wait_for into it"
        problems.note(by_id[name].pointer, "loop_without_wait", message)


def _waits(node: Placed) -> bool:
    return node.step.waits(node.settings)


def _reachable(start: str, ways: dict[str, list[str]]) -> set[str]:
    reached, open_ends = {start}, [start]
    while open_ends:
        for to in ways[open_ends.pop()]:
            if to not in reached:
                reached.add(to)
                open_ends.append(to)
    return reached


def _in_loops(ways: dict[str, list[str]]) -> list[str]:
    """Steps from which one comes back to them; empty when there is no loop."""
    left = {step: set(to) for step, to in ways.items()}
    while done := {step for step, to in left.items() if not to}:  # peel off what leads nowhere
        left = {step: to - done for step, to in left.items() if step not in done}
    return [step for step in left if any(step in _reachable(to, ways) for to in ways[step])]

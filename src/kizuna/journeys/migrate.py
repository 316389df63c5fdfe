"""Moving open runs to another version: each that stands at a step of the map arrives at the step it names, once."""

from __future__ import annotations

from kizuna.journeys.advance import go
from kizuna.journeys.judge import judge
from kizuna.journeys.run import Run
from kizuna.journeys.turn import Turn


def migrate(turn: Turn, runs: list[Run], since: int) -> None:
    """Apply what was published after program version `since`; the others stay on the version they entered."""
    for each in turn.program.migrations:
        if each.introduced <= since:
            continue
        plan = turn.program.plan(each.journey, each.version)
        for run in list(runs):
            to = each.steps.get(run.step) if run.journey == each.journey else None
            if not plan or not to or run not in turn.section.open:
                continue
            before, run.version = run.version, plan.version
            turn.touch()
            if judge(turn, run, plan):
                go(turn, run, plan.journey, to, before)

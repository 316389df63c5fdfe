"""Joining the runs of an anonymous record to those of the profile it turned out to be."""

from __future__ import annotations

from kizuna.journeys.advance import leave
from kizuna.journeys.run import Run
from kizuna.journeys.section import Clock, Journeys
from kizuna.journeys.turn import Turn


def merge(turn: Turn, other: Journeys) -> None:
    """Runs add up; of two with the same journey and key the older stays, unless runs go side by side."""
    mine = turn.section
    for ended in other.ended:
        mine.remember(ended)
    mine.watched.extend(other.watched)
    mine.draws.extend(other.draws)
    for name, theirs in other.clocks.items():  # a local time that came to one of the two came to the customer
        own = mine.clocks.setdefault(name, Clock())
        own.had = max(own.had, theirs.had)
    for run in other.open:
        twin = None if _side_by_side(turn, run) else _same(mine.open, run)
        mine.open.append(run)
        if twin is not None:
            leave(turn, max(twin, run, key=lambda each: (each.entered_at, each.id)), "merged")
    mine.open.sort(key=lambda run: (run.entered_at, run.id))
    turn.touch()


def _same(runs: list[Run], run: Run) -> Run | None:
    return next((each for each in runs if each.journey == run.journey and each.key == run.key), None)


def _side_by_side(turn: Turn, run: Run) -> bool:
    plan = turn.program.newest.get(run.journey)
    return plan is not None and plan.journey.entry.again.kind == "always"

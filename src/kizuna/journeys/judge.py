"""Goals and exits: judged on every event and timer, before any step of the same instant."""

from __future__ import annotations

from kizuna.core import clock
from kizuna.engine.moment import Moment
from kizuna.journeys.advance import leave
from kizuna.journeys.counts import value_counters
from kizuna.journeys.key import concerns
from kizuna.journeys.leaving import Exit, Goal
from kizuna.journeys.program import Plan
from kizuna.journeys.run import Run
from kizuna.journeys.section import LATE, Watched
from kizuna.journeys.turn import Turn
from kizuna.journeys.win import win


def judge(turn: Turn, run: Run, plan: Plan) -> bool:
    """Record a goal that was met, then leave by the first exit that applies; says whether the run is still open."""
    moment = turn.moment if turn.moment and turn.moment.name in plan.heard else None
    if moment and (moment.timestamp < run.began or not concerns(plan.journey.entry.key, run.key, moment)):
        moment = None  # dated before the entry, or about another run
    goal = plan.journey.goal
    if (
        moment
        and goal
        and not run.goal_met
        and goal.trigger.matches(moment, turn.zone)
        and _in_time(turn, run, goal, moment)
    ):
        run.goal_met = True
        _reward(turn, run, run.step, goal, moment)
    for each in plan.journey.exits:
        if _applies(turn, run, each, moment):
            leave(turn, run, each.reason)
            return False
    return True


def _applies(turn: Turn, run: Run, way: Exit, moment: Moment | None) -> bool:
    if way.trigger:
        return moment is not None and way.trigger.matches(moment, turn.zone)
    if way.segment and way.rule:
        # Judged by membership, not by the fact: the fact comes after the event that caused it, which may move a step.
        if not turn.rules.is_ready(turn.scope, way.rule.key):
            return False  # the segment was just published anew: its history is still to come
        if turn.rules.holds(turn.scope, way.rule.key):
            if way.segment not in run.inside:
                run.inside.append(way.segment)
                turn.touch()
            return False
        return way.segment in run.inside
    if way.rule:
        return turn.rules.holds(turn.scope, way.rule.key)
    return run.goal_met


def _in_time(turn: Turn, run: Run, goal: Goal, moment: Moment) -> bool:
    return goal.within is None or moment.timestamp <= clock.after(run.entered_at, goal.within, turn.zone)


def judge_watched(turn: Turn) -> None:
    """Goals of runs that are over; what can no longer be met is forgotten."""
    moment = turn.moment
    for each in list(turn.section.watched):
        plan = turn.program.plan(each.journey, each.version)
        goal = plan.journey.goal if plan else None
        if not plan or not goal or turn.now > each.until + LATE:
            turn.section.watched.remove(each)
            turn.touch()
        elif moment and _is_met(turn, each, goal, plan.journey.entry.key, moment):
            turn.section.watched.remove(each)
            run = Run(id=each.run, journey=each.journey, version=each.version, entered_at=each.began, began=each.began)
            _reward(turn, run, each.step, goal, moment)


def _is_met(turn: Turn, run: Watched, goal: Goal, key: str, moment: Moment) -> bool:
    return (
        goal.trigger.matches(moment, turn.zone)
        and run.began <= moment.timestamp <= run.until
        and concerns(key, run.key, moment)
    )


def _reward(turn: Turn, run: Run, step: str, goal: Goal, moment: Moment) -> None:
    """The goal is met: once a run, with the value that the event carries."""
    value: object = {"properties": moment.properties} if goal.value else None
    for part in goal.value.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    turn.count(run.journey, "goal")
    for name, delta in value_counters(value).items():
        turn.count(run.journey, name, delta)
    turn.record(run, "journey_goal", step=step, **({} if value is None else {"value": value}))
    if turn.section.draws:
        win(turn, run.id, "goal", moment.timestamp)

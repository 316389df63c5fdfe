"""Moves a run from step to step until it waits or leaves."""

from __future__ import annotations

from kizuna.core import clock
from kizuna.engine.moment import Moment
from kizuna.journeys.definition import Journey, Node
from kizuna.journeys.key import concerns
from kizuna.journeys.run import Run
from kizuna.journeys.section import Ended, Watched
from kizuna.journeys.steps import END, Exit, Next, Proceed, Wait
from kizuna.journeys.turn import Turn

STEPS_AT_ONCE = 1000  # a published graph cannot reach it; if one does, the profile is parked and listed


def go(turn: Turn, run: Run, journey: Journey, to: str, from_version: int = 0) -> None:
    """Take the run to a step and onward; steps of one instant run in order without yielding."""
    for _ in range(STEPS_AT_ONCE):
        if to == END:
            leave(turn, run, "completed")
            return
        if run.step:
            _leave_step(turn, run)
        node = journey.steps[to]
        _arrive(turn, run, node, from_version)
        from_version = 0
        outer, turn.scope.cause = turn.scope.cause, run.fact  # what a step says follows from having come to it
        outcome = node.step.arrive(run, node.settings, turn.context(node.id))
        turn.scope.cause = outer
        if isinstance(outcome, Wait) and outcome.until <= turn.now:
            outcome = node.step.due(run, node.settings, turn.context(node.id))
        if isinstance(outcome, Proceed):
            to = outcome.to or node.next
        elif isinstance(outcome, Wait):
            run.wake_at = outcome.until
            turn.scope.count(f"{node.counter}waiting")
            return
        else:
            leave(turn, run, outcome.reason, outcome.note)
            return
    raise RuntimeError(f"a run of journey {run.journey!r} took {STEPS_AT_ONCE} steps at one instant")


def hear(turn: Turn, run: Run, journey: Journey, moment: Moment) -> None:
    """Let the step a run waits at hear what happened."""
    node = journey.steps[run.step]
    if run.ready or turn.now > run.wake_at or moment.name not in node.step.events(node.settings):
        return  # past its time only while paused: then the timeout has the word
    if not concerns(journey.entry.key, run.key, moment):
        return
    outcome = node.step.hear(run, node.settings, moment, turn.context(node.id))
    if outcome is not None:
        _follow(turn, run, journey, node, outcome)


def due(turn: Turn, run: Run, journey: Journey) -> None:
    """The wait is over, or the journey was resumed."""
    if run.ready:
        to, run.ready = run.ready, ""
        go(turn, run, journey, to)
        return
    node = journey.steps[run.step]
    _follow(turn, run, journey, node, node.step.due(run, node.settings, turn.context(node.id)))


def _follow(turn: Turn, run: Run, journey: Journey, node: Node, outcome: Next) -> None:
    turn.touch()
    match outcome:
        case Wait(until):
            run.wake_at = until
        case Exit(reason, note):
            leave(turn, run, reason, note)
        case Proceed(named) if turn.is_active(run.journey):
            go(turn, run, journey, named or node.next)
        case Proceed(named):
            run.ready = named or node.next


def leave(turn: Turn, run: Run, reason: str, note: str = "") -> None:
    """End the run; nothing it planned and nobody claimed is sent any more, unless it simply came to its end."""
    step = run.step
    if step:
        _leave_step(turn, run)
    section = turn.section
    section.open.remove(run)
    section.remember(Ended(run.journey, run.key, run.id, run.version, step, run.entered_at, turn.now, reason))
    if reason != "merged":  # the other run of the customer meets the goal
        _watch(turn, run, step)
    turn.count(run.journey, "active", -1)
    turn.count(run.journey, "completed" if reason == "completed" else f"exited:{reason}")
    turn.record(
        run, "journey_exited", reason=reason, **({"step": step} if step else {}), **({"note": note} if note else {})
    )
    if reason != "completed":
        turn.voice.cancel(turn.scope, run.name)


def _watch(turn: Turn, run: Run, step: str) -> None:
    """A goal counts up to `within` after entry, also when the run is over."""
    plan = turn.plan(run)
    goal = plan.journey.goal if plan else None
    if goal and goal.within and not run.goal_met:
        until = clock.after(run.entered_at, goal.within, turn.zone)
        if until >= turn.now:
            turn.section.watched.append(Watched(run.id, run.journey, run.version, run.key, step, run.began, until))


def _arrive(turn: Turn, run: Run, node: Node, from_version: int) -> None:
    """`from_version`: of a run that a publish moved; 0 of any other."""
    run.step, run.arrived_at, run.since = node.id, turn.now, turn.since
    turn.scope.count(f"{node.counter}entered")
    turn.record(run, "journey_step", step=node.id, **({"from_version": from_version} if from_version else {}))


def _leave_step(turn: Turn, run: Run) -> None:
    if run.wake_at:
        turn.count(run.journey, f"step:{run.step}:waiting", -1)
    turn.count(run.journey, f"step:{run.step}:left")
    run.step, run.wake_at, run.ready = "", 0, ""

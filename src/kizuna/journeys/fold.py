"""Journeys in the fold: exits and goals first, then waits, then entries; at rest, the next timer is set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from kizuna.engine.moment import Moment
from kizuna.engine.slice import Definition, Scope, Section, Workspace, Writer
from kizuna.journeys.admit import admit_by_api, admit_by_event, admit_by_step
from kizuna.journeys.advance import due, hear, leave
from kizuna.journeys.judge import judge, judge_watched
from kizuna.journeys.merge import merge
from kizuna.journeys.program import STOPPED, Program, compile_program
from kizuna.journeys.run import Run
from kizuna.journeys.section import KEPT, Journeys
from kizuna.journeys.steps import Rules, Voice
from kizuna.journeys.turn import Turn
from kizuna.messages import grant
from kizuna.segments import answer


class JourneySlice:
    """The slice; `rules` and `voice` are the segments and messages slices, or a test's stand-ins."""

    name: ClassVar[str] = "journeys"
    section: ClassVar[type[Section]] = Journeys
    writers: ClassVar[Mapping[type, Writer]] = {}

    def __init__(self, rules: Rules = answer, voice: Voice = grant) -> None:
        self.rules = rules
        self.voice = voice

    def compile(self, workspace: Workspace, definitions: Sequence[Definition], lower: Mapping[str, Any]) -> Program:
        return compile_program(definitions)

    def hears(self, part: Program, kind: str, name: str) -> bool:
        return kind == "enter" or name in part.heard or part.judges_rules

    def fold(self, moment: Moment, scope: Scope) -> None:
        program: Program = scope.program["journeys"]
        section: Journeys = scope.record["journeys"]
        entries = program.entries.get(moment.name)
        if entries is None and moment.type != "enter" and not _concerns(program, section, moment.name):
            return
        if moment.is_backfill:
            return
        turn = Turn(scope, self.rules, self.voice, moment)
        if section.watched:
            judge_watched(turn)
        self._judge_open(turn)
        for run in list(section.open):
            plan = turn.plan(run)
            if plan and moment.name in plan.heard and _is_open(turn, run) and run.step:
                hear(turn, run, plan.journey, moment)
        if moment.type == "enter":
            admit_by_api(turn, moment)
        for plan in entries or ():
            admit_by_event(turn, plan, moment)
        self._settle(turn)

    def wake(self, scope: Scope) -> None:
        """Timers that are due; also called when a journey was resumed or stopped."""
        turn = Turn(scope, self.rules, self.voice)
        self._judge_open(turn)
        waiting = [run for run in turn.section.open if turn.is_active(run.journey)]
        for run in sorted(waiting, key=lambda run: (run.wake_at, run.entered_at)):
            plan = turn.plan(run)
            if plan and _is_open(turn, run) and (run.ready or 0 < run.wake_at <= turn.now):
                due(turn, run, plan.journey)
        self._settle(turn)

    def absorb(self, other: Section, scope: Scope) -> None:
        assert isinstance(other, Journeys)  # noqa: S101  # the engine joins like with like
        turn = Turn(scope, self.rules, self.voice)
        merge(turn, other)
        self._settle(turn)

    def _judge_open(self, turn: Turn) -> None:
        """Exits and goals of all open runs, before any of them moves."""
        name = turn.moment.name if turn.moment else None
        for run in list(turn.section.open):
            plan = turn.plan(run)
            if plan is None:
                leave(turn, run, "version_retired")
            elif turn.program.status[run.journey] == STOPPED:
                leave(turn, run, "stopped")
            elif plan.judges_rules or name in plan.heard:
                judge(turn, run, plan)

    def _settle(self, turn: Turn) -> None:
        """Enter what `enter` steps asked for, forget what is not needed, ask for the next timer."""
        for _ in range(100):  # journeys that enter each other in a ring are refused by `again` long before
            if not turn.entries:
                break
            admit_by_step(turn, *turn.entries.pop(0))
        if len(turn.section.ended) > KEPT:
            _forget(turn)
        wake_at = self._next_timer(turn)
        if wake_at != turn.section.wake_at:
            turn.section.wake_at = wake_at
            turn.touch()

    def _next_timer(self, turn: Turn) -> int:
        earliest = 0
        for run in turn.section.open:
            plan = turn.plan(run)
            found = [run.wake_at] if run.wake_at and turn.is_active(run.journey) else []
            if plan and plan.judges_rules:
                keys = [each.rule.key for each in plan.journey.exits if each.rule]
                found += [self.rules.next_change(turn.scope, key) for key in keys]
            for instant in found:
                if instant > turn.now and (not earliest or instant < earliest):
                    earliest = instant
        return earliest


def _concerns(program: Program, section: Journeys, name: str) -> bool:
    """Whether a run, open or watched, listens; most events concern none, so this comes before all else."""
    for run in section.open:
        plan = program.plans.get((run.journey, run.version))
        if plan is None or plan.judges_rules or name in plan.heard:
            return True
    for each in section.watched:
        plan = program.plans.get((each.journey, each.version))
        if plan is None or name in plan.heard:
            return True
    return False


def _is_open(turn: Turn, run: Run) -> bool:
    return run in turn.section.open


def _forget(turn: Turn) -> None:
    """Drop the oldest ended runs that no entry rule asks about."""
    plans = turn.program.newest
    for each in list(turn.section.ended):
        if len(turn.section.ended) <= KEPT:
            return
        plan = plans.get(each.journey)
        if plan is None or plan.journey.entry.again.kind in ("after_exit", "always"):
            turn.section.ended.remove(each)
            turn.touch()

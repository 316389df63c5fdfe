"""Journeys in the fold: exits and goals first, then waits, then entries; at rest, the next timer is set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from kizuna.engine.moment import Moment
from kizuna.engine.slice import Definition, Scope, Section, Workspace, Writer
from kizuna.journeys.admit import admit_by_api, admit_by_event, admit_by_step
from kizuna.journeys.advance import due, hear, leave
from kizuna.journeys.clocks import ring, set_clocks
from kizuna.journeys.judge import judge, judge_watched
from kizuna.journeys.merge import merge
from kizuna.journeys.migrate import migrate
from kizuna.journeys.program import STOPPED, Program, compile_program
from kizuna.journeys.run import Run
from kizuna.journeys.section import KEPT, Journeys
from kizuna.journeys.steps import Rules, Voice
from kizuna.journeys.turn import Turn
from kizuna.journeys.win import win_by_report
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
        is_heard = name in part.entries or name in part.names or name in part.wins
        return is_heard or kind == "enter" or part.judges_rules or bool(part.changed)  # who is behind must catch up

    def fold(self, moment: Moment, scope: Scope) -> None:
        program: Program = scope.program["journeys"]
        section: Journeys = scope.record["journeys"]
        name = moment.name
        is_behind = section.seen < program.changed
        moves_clocks = name == "profile_updated" and bool(program.timed)
        entries = program.entries.get(name)
        may_win = bool(section.draws) and name in program.wins
        if not (is_behind or moves_clocks or entries or may_win or moment.type == "enter"):
            may_concern = name in program.names or program.judges_rules  # most events concern nobody
            if not may_concern or not _concerns(program, section, name):
                return
        turn = Turn(scope, self.rules, self.voice, moment)
        if is_behind:
            self._catch_up(turn)
        elif moves_clocks:
            set_clocks(turn)
        if moment.is_backfill:
            self._settle(turn)
            return
        if may_win:
            win_by_report(turn, moment)
        if section.watched:
            judge_watched(turn)
        if section.open and (name in program.names or program.judges_rules):
            self._judge_open(turn)
            for run in list(section.open):
                plan = turn.plan(run)
                if plan and name in plan.heard and _is_open(turn, run) and run.step:
                    hear(turn, run, plan.journey, moment)
        if moment.type == "enter":
            admit_by_api(turn, moment)
        for plan in entries or ():
            admit_by_event(turn, plan, moment)
        self._settle(turn)

    def wake(self, scope: Scope) -> None:
        """Timers that are due; also called when a journey was resumed or stopped."""
        turn = Turn(scope, self.rules, self.voice)
        if scope.record["profiles"].merged_into:
            turn.section.wake_at = 0  # a pointer: its runs and clocks went with it
            return
        if turn.section.seen < turn.program.changed:
            self._catch_up(turn)
        self._judge_open(turn)
        waiting = [run for run in turn.section.open if turn.is_active(run.journey)]
        for run in sorted(waiting, key=lambda run: (run.wake_at, run.entered_at)):
            plan = turn.plan(run)
            if plan and _is_open(turn, run) and (run.ready or 0 < run.wake_at <= turn.now):
                due(turn, run, plan.journey)
        if turn.section.clocks:
            ring(turn)
        self._settle(turn)

    def absorb(self, other: Section, scope: Scope) -> None:
        assert isinstance(other, Journeys)  # noqa: S101  # the engine joins like with like
        turn = Turn(scope, self.rules, self.voice)
        if turn.section.seen < turn.program.changed:
            self._catch_up(turn)
        merge(turn, other)
        migrate(turn, other.open, other.seen)
        self._settle(turn)

    def _catch_up(self, turn: Turn) -> None:
        """What was published since the record was last folded: runs move, clocks are set."""
        seen, turn.section.seen = turn.section.seen, turn.program.changed
        turn.touch()
        migrate(turn, list(turn.section.open), seen)
        set_clocks(turn)

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
        for name, clock in turn.section.clocks.items():
            if clock.due and name in turn.program.timed and (not earliest or clock.due < earliest):
                earliest = clock.due
        return earliest


def _concerns(program: Program, section: Journeys, name: str) -> bool:
    """Whether a run, open or watched, listens."""
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

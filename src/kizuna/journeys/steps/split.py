"""`split`: by weight, at random but the same arm for the same profile each time; with `bandit` the weights learn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from msgspec import Struct

from kizuna.core import clock, ids
from kizuna.core.clock import Duration
from kizuna.journeys.draw import GOALS, Draw, counter, keep
from kizuna.journeys.problems import Problems
from kizuna.journeys.run import Run
from kizuna.journeys.steps import Context, Next, Proceed, Step, Target


class Arm(Struct, frozen=True):
    below: float  # the bucket, 0..9999, that is the first of the next arm
    weight: float  # in thousandths
    next: str
    pointer: str


class Bandit(Struct, frozen=True):
    goal: str  # click, open, or the journey's goal
    within: Duration  # after the arm was drawn, edge included


class Split(Step):
    name = "split"
    beside = ("bandit",)

    class Settings(Struct, frozen=True):
        arms: tuple[Arm, ...]
        bandit: Bandit | None = None

    def parse(self, raw: dict[str, Any], pointer: str, problems: Problems) -> Settings:
        here = f"{pointer}/split"
        bandit = _bandit(raw["bandit"], f"{pointer}/bandit", problems) if "bandit" in raw else None
        weights: list[float] = []
        named: list[tuple[str, str]] = []
        for index, each in enumerate(problems.items(raw["split"], here, "arm")):
            at = f"{here}/{index}"
            arm = problems.object(each, at, ("weight", "next"))
            weight = arm.get("weight", 1 if bandit else None)  # one that learns may begin without
            weights.append(problems.number(weight, f"{at}/weight", "the weight", 0, 1_000_000))
            to = problems.text(arm["next"], f"{at}/next", "a step's id") if "next" in arm else ""
            named.append((to, f"{at}/next"))
        total = sum(weights)
        if named and total <= 0 and not any(each.pointer.startswith(here) for each in problems.found):
            problems.note(here, "invalid_weights", "at least one weight must be above 0")
        arms, reached = [], 0.0
        for weight, (to, at) in zip(weights, named, strict=True):
            reached += weight
            arms.append(Arm(10_000 * reached / (total or 1), 1000 * weight / (total or 1), to, at))
        return self.Settings(tuple(arms), bandit)

    def arrive(self, run: Run, settings: Settings, context: Context) -> Next:
        bucket = ids.bucket(run.journey, context.node, context.scope.record.id)
        bounds = [arm.below for arm in settings.arms]
        if settings.bandit is None:
            return Proceed(settings.arms[_first_above(bounds, bucket)].next)
        learnt = context.scope.program["journeys"].bandits.get((run.journey, run.version, context.node))
        if learnt and len(learnt) == len(bounds):
            bounds = [10 * bound for bound in accumulate(learnt)]
        return Proceed(settings.arms[_draw(run, settings.bandit, _first_above(bounds, bucket), context)].next)

    def wins(self, settings: Settings) -> Iterable[str]:
        return (settings.bandit.goal,) if settings.bandit else ()

    def targets(self, settings: Settings) -> Iterable[Target]:
        return (Target(arm.pointer, arm.next) for arm in settings.arms if arm.next)

    def falls_through(self, settings: Settings) -> bool:
        return any(not arm.next for arm in settings.arms)


def _first_above(bounds: Sequence[float], bucket: int) -> int:
    return next((arm for arm, below in enumerate(bounds) if bucket < below), len(bounds) - 1)


def _draw(run: Run, bandit: Bandit, arm: int, context: Context) -> int:
    """The arm, noted so that it may win; a run that comes by again keeps what it drew. A holdout teaches nothing."""
    draws = context.scope.record["journeys"].draws
    for known in draws:
        if known.run == run.id and known.step == context.node and known.version == run.version:
            return known.arm
    if not run.holdout:
        until = clock.after(context.now, bandit.within, context.zone)
        keep(draws, Draw(run.id, run.journey, run.version, context.node, arm, bandit.goal, until), context.now)
        context.scope.record.touch("journeys")
        context.scope.count(counter(run.journey, run.version, context.node, arm, "drawn"))
    return arm


def _bandit(raw: Any, pointer: str, problems: Problems) -> Bandit:
    document = problems.object(raw, pointer, ("goal", "within"))
    goal = document.get("goal")
    if goal not in GOALS:
        problems.note(f"{pointer}/goal", "invalid_goal", f"write one of {', '.join(GOALS)}")
    return Bandit(str(goal), problems.duration(document.get("within", "7d"), f"{pointer}/within"))

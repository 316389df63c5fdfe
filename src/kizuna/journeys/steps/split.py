"""`split`: by weight, at random but the same arm for the same profile each time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from kizuna.core import ids
from kizuna.journeys.problems import Problems
from kizuna.journeys.run import Run
from kizuna.journeys.steps import Context, Next, Proceed, Step, Target


class Arm(Struct, frozen=True):
    below: float  # the bucket, 0..9999, that is the first of the next arm
    next: str
    pointer: str


class Split(Step):
    name = "split"

    class Settings(Struct, frozen=True):
        arms: tuple[Arm, ...]

    def parse(self, raw: dict[str, Any], pointer: str, problems: Problems) -> Settings:
        here = f"{pointer}/split"
        weights: list[float] = []
        named: list[tuple[str, str]] = []
        for index, each in enumerate(problems.items(raw["split"], here, "arm")):
            at = f"{here}/{index}"
            arm = problems.object(each, at, ("weight", "next"))
            weights.append(problems.number(arm.get("weight"), f"{at}/weight", "the weight", 0, 1_000_000))
            to = problems.text(arm["next"], f"{at}/next", "a step's id") if "next" in arm else ""
            named.append((to, f"{at}/next"))
        total = sum(weights)
        if named and total <= 0 and not any(each.pointer.startswith(here) for each in problems.found):
            problems.note(here, "invalid_weights", "at least one weight must be above 0")
        arms, reached = [], 0.0
        for weight, (to, at) in zip(weights, named, strict=True):
            reached += weight
            arms.append(Arm(10_000 * reached / (total or 1), to, at))
        return self.Settings(tuple(arms))

    def arrive(self, run: Run, settings: Settings, context: Context) -> Next:
        drawn = ids.bucket(run.journey, context.node, context.scope.record.id)
        return Proceed(next((arm.next for arm in settings.arms if drawn < arm.below), settings.arms[-1].next))

    def targets(self, settings: Settings) -> Iterable[Target]:
        return (Target(arm.pointer, arm.next) for arm in settings.arms if arm.next)

    def falls_through(self, settings: Settings) -> bool:
        return any(not arm.next for arm in settings.arms)

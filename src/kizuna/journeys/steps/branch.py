"""`branch`: the first rule that is true decides; `else` takes everyone else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from kizuna.journeys.problems import Problems, Ruled
from kizuna.journeys.run import Run
from kizuna.journeys.steps import Context, Next, Proceed, Step, Target


class Arm(Struct, frozen=True):
    when: Ruled
    next: str
    pointer: str


class Branch(Step):
    name = "branch"
    beside = ("else",)

    class Settings(Struct, frozen=True):
        arms: tuple[Arm, ...]
        otherwise: str  # "" goes on to the step that follows
        otherwise_at: str

    def parse(self, raw: dict[str, Any], pointer: str, problems: Problems) -> Settings:
        arms = []
        for index, each in enumerate(problems.items(raw["branch"], f"{pointer}/branch", "arm")):
            at = f"{pointer}/branch/{index}"
            arm = problems.object(each, at, ("when", "next"))
            when = problems.rule(arm.get("when"), f"{at}/when")
            arms.append(Arm(when, problems.text(arm.get("next"), f"{at}/next", "a step's id"), f"{at}/next"))
        otherwise = problems.text(raw["else"], f"{pointer}/else", "a step's id") if "else" in raw else ""
        return self.Settings(tuple(arms), otherwise, f"{pointer}/else")

    def arrive(self, run: Run, settings: Settings, context: Context) -> Next:
        for arm in settings.arms:
            if context.rules.holds(context.scope, arm.when.key):
                return Proceed(arm.next)
        return Proceed(settings.otherwise)

    def targets(self, settings: Settings) -> Iterable[Target]:
        for arm in settings.arms:
            yield Target(arm.pointer, arm.next)
        if settings.otherwise:
            yield Target(settings.otherwise_at, settings.otherwise)

    def falls_through(self, settings: Settings) -> bool:
        return not settings.otherwise

    def rules(self, settings: Settings) -> Iterable[Ruled]:
        return (arm.when for arm in settings.arms)

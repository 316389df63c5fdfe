"""`enter`: begin another journey, one whose entry is `{api: true}`."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from kizuna.journeys.problems import Problems
from kizuna.journeys.run import Run
from kizuna.journeys.steps import Context, Next, Proceed, Step


class Enter(Step):
    name = "enter"

    class Settings(Struct, frozen=True):
        journey: str
        data: dict[str, Any]

    def parse(self, raw: dict[str, Any], pointer: str, problems: Problems) -> Settings:
        here = f"{pointer}/enter"
        document = problems.object(raw["enter"], here, ("journey", "data"))
        journey = problems.text(document.get("journey"), f"{here}/journey", "the journey's name")
        return self.Settings(journey, problems.object(document.get("data", {}), f"{here}/data"))

    def arrive(self, run: Run, settings: Settings, context: Context) -> Next:
        times = run.sent.get(context.node, 0)
        run.sent[context.node] = times + 1
        context.entries.append((settings.journey, settings.data, f"{run.name}:{context.node}:{times}"))
        return Proceed()

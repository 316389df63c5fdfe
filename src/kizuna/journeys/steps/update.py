"""`update`: set traits; a text may be Liquid."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from kizuna.core.errors import Invalid
from kizuna.journeys.problems import Problems
from kizuna.journeys.run import Run
from kizuna.journeys.steps import Context, Exit, Next, Proceed, Step
from kizuna.journeys.wording import check_wording, worded


class Update(Step):
    name = "update"

    class Settings(Struct, frozen=True):
        traits: dict[str, Any]

    def parse(self, raw: dict[str, Any], pointer: str, problems: Problems) -> Settings:
        here = f"{pointer}/update"
        document = problems.object(raw["update"], here, ("traits",))
        traits = problems.object(document.get("traits"), f"{here}/traits")
        check_wording(traits, f"{here}/traits", problems)
        return self.Settings(traits)

    def arrive(self, run: Run, settings: Settings, context: Context) -> Next:
        try:
            traits = worded(settings.traits, run, context.scope)
        except Invalid as error:
            return Exit("aborted", str(error))
        context.scope.emit("traits_updated", {"traits": traits, "journey": run.journey, "step": context.node})
        return Proceed()

"""`emit`: say an event about this customer, heard by segments, journeys and the lake; a text may be Liquid."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from kizuna.core.errors import Invalid
from kizuna.journeys.problems import Problems
from kizuna.journeys.run import Run
from kizuna.journeys.steps import Context, Exit, Next, Proceed, Step
from kizuna.journeys.wording import check_wording, worded

# What Kizuna itself records; a journey may not imitate it.
OURS = ("profile_", "segment_", "journey_", "message_", "consent_", "campaign_", "traits_")


class Emit(Step):
    name = "emit"

    class Settings(Struct, frozen=True):
        event: str
        properties: dict[str, Any]

    def parse(self, raw: dict[str, Any], pointer: str, problems: Problems) -> Settings:
        here = f"{pointer}/emit"
        document = problems.object(raw["emit"], here, ("event", "properties"))
        event = problems.text(document.get("event"), f"{here}/event", "the event's name")
        if event.startswith(OURS):
            problems.note(
                f"{here}/event", "reserved_event", f"{event!r} is a fact only Kizuna records; choose another name"
            )
        properties = problems.object(document.get("properties", {}), f"{here}/properties")
        check_wording(properties, f"{here}/properties", problems)
        return self.Settings(event, properties)

    def arrive(self, run: Run, settings: Settings, context: Context) -> Next:
        try:
            properties = worded(settings.properties, run, context.scope)
        except Invalid as error:
            return Exit("aborted", str(error))
        context.scope.emit(settings.event, properties)
        return Proceed()

"""What a journey listens for: an event with properties, or a segment entered or left."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from kizuna.engine.moment import Moment
from kizuna.journeys.problems import Problems
from kizuna.segments.props import PropsCheck

FORMS = ("event", "segment_entered", "segment_left")


class Trigger(Struct, frozen=True):
    """`{event, where?}`, `{segment_entered: name}` or `{segment_left: name}`."""

    event: str  # the name an event or fact must have
    segment: str = ""  # and the segment it must be about
    test: PropsCheck | None = None

    def matches(self, moment: Moment, zone: str) -> bool:
        if moment.name != self.event or not moment.is_event:
            return False
        if self.segment:
            return moment.type == "fact" and moment.properties.get("segment") == self.segment
        return self.test is None or self.test(moment.properties, moment.at, zone)


def parse_trigger(raw: Any, pointer: str, problems: Problems, also: tuple[str, ...] = ()) -> Trigger:
    """Reads one trigger; `also` are keys that belong to who asked."""
    document = problems.object(raw, pointer, (*FORMS, "where", *also))
    forms = [form for form in FORMS if form in document]
    if len(forms) != 1:
        problems.note(pointer, "no_trigger", f"name exactly one of {', '.join(FORMS)}")
        return Trigger("")
    form = forms[0]
    if form == "event":
        name = problems.text(document["event"], f"{pointer}/event", "the event's name")
        return Trigger(name, test=problems.props(document.get("where"), f"{pointer}/where"))
    if "where" in document:
        problems.note(f"{pointer}/where", "unknown_field", "`where` goes with `event` only")
    return Trigger(form, segment=problems.text(document[form], f"{pointer}/{form}", "the segment's name"))

"""What a journey listens for: an event with properties, or a segment entered or left."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from kizuna.engine.moment import Moment
from kizuna.journeys.problems import Problems
from kizuna.segments.props import PropsCheck

ENGAGED = ("message_opened", "message_clicked")
FORMS = ("event", "segment_entered", "segment_left")


class Trigger(Struct, frozen=True):
    """`{event, where?}`, `{segment_entered: name}` or `{segment_left: name}`."""

    event: str  # the name an event or fact must have
    segment: str = ""  # and the segment it must be about
    test: PropsCheck | None = None
    of_anybody: bool = False  # it asks itself who opened or clicked

    def matches(self, moment: Moment, zone: str) -> bool:
        if moment.name != self.event or not moment.is_event:
            return False
        if self.segment:
            return moment.type == "fact" and moment.properties.get("segment") == self.segment
        if moment.name in ENGAGED and not self.of_anybody and moment.properties.get("actor", "human") != "human":
            return False  # what machines open or click is nobody's act
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
        where = document.get("where")
        asks_who = isinstance(where, dict) and "actor" in where
        return Trigger(name, test=problems.props(where, f"{pointer}/where"), of_anybody=asks_who)
    if "where" in document:
        problems.note(f"{pointer}/where", "unknown_field", "`where` goes with `event` only")
    return Trigger(form, segment=problems.text(document[form], f"{pointer}/{form}", "the segment's name"))

"""The way into a journey, as written: what starts a run, for whom, and how often."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from kizuna.core.clock import HOUR, Duration
from kizuna.journeys.problems import Problems, Ruled
from kizuna.journeys.trigger import Trigger, parse_trigger

FIELDS = ("on", "audience", "key", "again", "max_age", "holdout")
LATER = ("schedule", "anniversary")
AGAIN = ("never", "after_exit", "always")


class Again(Struct, frozen=True):
    """`never`, `after_exit`, `always`, or `after` a duration since the last entry."""

    kind: str
    length: Duration = Duration()


class Entry(Struct, frozen=True):
    trigger: Trigger | None  # None: by API only
    audience: Ruled | None = None
    key: str = ""  # path of the value that has a run of its own
    again: Again = Again("never")
    max_age: Duration = Duration(72 * HOUR)
    holdout: float = 0.0  # per cent


def parse_entry(raw: Any, problems: Problems) -> Entry:
    document = problems.object(raw, "/entry", FIELDS)
    key = document.get("key", "")
    if key and not (isinstance(key, str) and key.startswith("properties.") and all(key.split("."))):
        problems.note("/entry/key", "invalid_key", "name a property of the event, such as properties.order_id")
        key = ""
    return Entry(
        trigger=_on(document.get("on"), problems),
        audience=problems.rule(document["audience"], "/entry/audience") if "audience" in document else None,
        key=key,
        again=_again(document.get("again", "never"), problems),
        max_age=problems.duration(document.get("max_age", "72h"), "/entry/max_age"),
        holdout=problems.number(document.get("holdout", 0), "/entry/holdout", "the holdout in per cent", 0, 100),
    )


def _on(raw: Any, problems: Problems) -> Trigger | None:
    if not isinstance(raw, dict):
        problems.note(
            "/entry/on", "no_trigger", "say what starts a run: {event: ...}, {segment_entered: ...}, {api: true}"
        )
        return None
    for form in LATER:
        if form in raw:
            problems.note(f"/entry/on/{form}", "not_yet_supported", f"entry by {form} is not built yet")
            return None
    if "api" not in raw:
        return parse_trigger(raw, "/entry/on", problems)
    problems.object(raw, "/entry/on", ("api",))
    if raw["api"] is not True:
        problems.note("/entry/on/api", "invalid_trigger", "write {api: true}")
    return None


def _again(raw: Any, problems: Problems) -> Again:
    if raw in AGAIN:
        return Again(raw)
    if isinstance(raw, dict) and set(raw) == {"after"}:
        return Again("after", problems.duration(raw["after"], "/entry/again/after"))
    problems.note("/entry/again", "invalid_again", f"write one of {', '.join(AGAIN)} or {{after: 30d}}")
    return Again("never")

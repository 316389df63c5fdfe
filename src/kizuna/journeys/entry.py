"""The way into a journey, as written: what starts a run, for whom, and how often."""

from __future__ import annotations

from datetime import time
from typing import Any

from msgspec import Struct

from kizuna.core import clock
from kizuna.core.clock import HOUR, Duration
from kizuna.core.local_time import time_of_day
from kizuna.journeys.problems import Problems, Ruled
from kizuna.journeys.schedule import Calendar, cron, yearly
from kizuna.journeys.trigger import Trigger, parse_trigger

FIELDS = ("on", "audience", "key", "again", "max_age", "holdout")
AGAIN = ("never", "after_exit", "always")


class Again(Struct, frozen=True):
    """`never`, `after_exit`, `always`, or `after` a duration since the last entry."""

    kind: str
    length: Duration = Duration()


class Timed(Struct, frozen=True):
    """Entry by the calendar: a cron line, or the day of the year that a trait names."""

    zone: str  # profile, workspace or an IANA name
    cron: Calendar | None = None
    trait: str = ""
    at: int = 0  # of an anniversary: seconds after local midnight

    def calendar(self, traits: dict[str, Any], zone: str) -> Calendar | None:
        """When it occurs for who has these traits; None when they name no date."""
        if self.cron is not None:
            return self.cron
        value: Any = traits
        for part in self.trait.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        instant = clock.read_time(value, zone) if isinstance(value, str) else None
        if instant is None:
            return None
        day = clock.to_local(instant, zone)
        return yearly(day.month, day.day, self.at)


class Entry(Struct, frozen=True):
    """By what happens (`trigger`), by the calendar (`timed`), or with neither by API only."""

    trigger: Trigger | None
    timed: Timed | None = None
    audience: Ruled | None = None
    key: str = ""  # path of the value that has a run of its own
    again: Again = Again("never")
    max_age: Duration = Duration(72 * HOUR)
    holdout: float = 0.0  # per cent

    @property
    def is_by_api(self) -> bool:
        return self.trigger is None and self.timed is None


def parse_entry(raw: Any, problems: Problems) -> Entry:
    document = problems.object(raw, "/entry", FIELDS)
    key = document.get("key", "")
    if key and not (isinstance(key, str) and key.startswith("properties.") and all(key.split("."))):
        problems.note("/entry/key", "invalid_key", "name a property of the event, such as properties.order_id")
        key = ""
    on = document.get("on")
    timed = _timed(on, problems) if isinstance(on, dict) and ("schedule" in on or "anniversary" in on) else None
    if timed and key:
        problems.note("/entry/key", "invalid_key", "an entry by the calendar carries no event, so it has no key")
    return Entry(
        trigger=None if timed else _on(on, problems),
        timed=timed,
        audience=problems.rule(document["audience"], "/entry/audience") if "audience" in document else None,
        key=key,
        again=_again(document.get("again", "never"), problems),
        max_age=problems.duration(document.get("max_age", "72h"), "/entry/max_age"),
        holdout=problems.number(document.get("holdout", 0), "/entry/holdout", "the holdout in per cent", 0, 100),
    )


def _on(raw: Any, problems: Problems) -> Trigger | None:
    if not isinstance(raw, dict):
        problems.note(
            "/entry/on",
            "no_trigger",
            "say what starts a run: {event: ...}, {segment_entered: ...}, {segment_left: ...}, {api: true}, "
            "{schedule: ...}, {anniversary: ...}",
        )
        return None
    if "api" not in raw:
        return parse_trigger(raw, "/entry/on", problems)
    problems.object(raw, "/entry/on", ("api",))
    if raw["api"] is not True:
        problems.note("/entry/on/api", "invalid_trigger", "write {api: true}")
    return None


def _timed(raw: dict[str, Any], problems: Problems) -> Timed:
    is_cron = "schedule" in raw
    problems.object(raw, "/entry/on", ("schedule", "zone") if is_cron else ("anniversary", "at", "zone"))
    zone = problems.text(raw.get("zone", "profile"), "/entry/on/zone", "profile, workspace or an IANA zone")
    if zone not in ("profile", "workspace", ""):
        problems.guard("/entry/on/zone", lambda: clock.zone_info(zone), None)
    if is_cron:
        line = problems.text(raw["schedule"], "/entry/on/schedule", "five fields, such as 0 9 * * mon")
        return Timed(zone, cron=problems.guard("/entry/on/schedule", lambda: cron(line), None) if line else None)
    trait = problems.text(raw["anniversary"], "/entry/on/anniversary", "the path of a trait that holds a date")
    at = problems.guard("/entry/on/at", lambda: time_of_day(raw.get("at", "09:00")), time(0))
    return Timed(zone, trait=trait, at=at.hour * 3600 + at.minute * 60 + at.second)


def _again(raw: Any, problems: Problems) -> Again:
    if raw in AGAIN:
        return Again(raw)
    if isinstance(raw, dict) and set(raw) == {"after"}:
        return Again("after", problems.duration(raw["after"], "/entry/again/after"))
    problems.note("/entry/again", "invalid_again", f"write one of {', '.join(AGAIN)} or {{after: 30d}}")
    return Again("never")

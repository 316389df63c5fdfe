"""`delay`: `2h`, `{days: 1}`, `{until: TIME}`, `{until: {trait, offset}}` or `{at: "09:00", weekday: [mon], zone}`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time
from typing import Any

from msgspec import Struct

from kizuna.core import clock
from kizuna.core.clock import Duration
from kizuna.core.local_time import WEEKDAYS, days_later, next_at, time_of_day
from kizuna.engine.moment import Moment
from kizuna.journeys.problems import Problems
from kizuna.journeys.run import Run
from kizuna.journeys.steps import Context, Exit, Next, Proceed, Step, Target, Wait

FORMS = ("days", "until", "at")


class For(Struct, frozen=True):
    """Exact, or calendar months in the profile's zone."""

    length: Duration


class Days(Struct, frozen=True):
    """The same local time some days on."""

    days: int


class Until(Struct, frozen=True):
    """A time as written: with an offset an instant, without one local."""

    text: str


class UntilTrait(Struct, frozen=True):
    """A time the profile's traits hold, moved by an offset; followed while the run waits."""

    trait: str
    offset: Duration
    is_before: bool


class At(Struct, frozen=True):
    """The next time of day, on certain weekdays."""

    at: time
    weekdays: frozenset[int]


class Delay(Step):
    name = "delay"
    beside = ("else",)

    class Settings(Struct, frozen=True):
        rule: For | Days | Until | UntilTrait | At
        zone: str = "profile"  # or workspace, or an IANA name
        otherwise: str = ""  # where to go when the trait holds no time
        otherwise_at: str = ""

    def parse(self, raw: dict[str, Any], pointer: str, problems: Problems) -> Settings:
        delay, here = raw["delay"], f"{pointer}/delay"
        if isinstance(delay, str):
            return self.Settings(For(problems.duration(delay, here)))
        document = problems.object(delay, here, (*FORMS, "weekday", "zone"))
        otherwise = problems.text(raw["else"], f"{pointer}/else", "a step's id") if "else" in raw else ""
        forms = [form for form in FORMS if form in document]
        if len(forms) != 1:
            problems.note(here, "no_delay", "write a duration such as 2h, or exactly one of days, until, at")
            return self.Settings(For(Duration()))
        if "weekday" in document and forms != ["at"]:
            problems.note(f"{here}/weekday", "unknown_field", "`weekday` goes with `at` only")
        rule = _FORMS[forms[0]](document, here, problems)
        return self.Settings(rule, _zone(document, here, problems), otherwise, f"{pointer}/else")

    def arrive(self, run: Run, settings: Settings, context: Context) -> Next:
        return self._decide(run, settings, context, run.arrived_at)

    def due(self, run: Run, settings: Settings, context: Context) -> Next:
        if isinstance(settings.rule, At):
            run.passed_at = context.now
        return Proceed()

    def hear(self, run: Run, settings: Settings, moment: Moment, context: Context) -> Next | None:
        """A trait that moved moves the wait."""
        if isinstance(settings.rule, UntilTrait) and moment.name == "profile_updated":
            return self._decide(run, settings, context, context.now)
        return None

    def _decide(self, run: Run, settings: Settings, context: Context, base: int) -> Next:
        zone = _zone_name(settings.zone, context)
        until = _instant(settings.rule, base, zone, run, context)
        if until is None:
            trait = getattr(settings.rule, "trait", "")
            if settings.otherwise:
                return Proceed(settings.otherwise)
            return Exit("aborted", f"the trait {trait!r} holds no time and the step has no `else`")
        return self.due(run, settings, context) if until <= context.now else Wait(until)

    def targets(self, settings: Settings) -> Iterable[Target]:
        return (Target(settings.otherwise_at, settings.otherwise),) if settings.otherwise else ()

    def waits(self, settings: Settings) -> bool:
        rule = settings.rule  # a fixed time or a trait's passes once; then it takes no time
        return isinstance(rule, (At, Days)) or (isinstance(rule, For) and rule.length != Duration())

    def events(self, settings: Settings) -> Iterable[str]:
        return ("profile_updated",) if isinstance(settings.rule, UntilTrait) else ()


def _instant(rule: Any, base: int, zone: str, run: Run, context: Context) -> int | None:
    """When the wait that began at `base` ends; None when a trait holds no time."""
    match rule:
        case For(length):
            return clock.after(base, length, zone)
        case Days(days):
            return days_later(base, days, zone)
        case Until(text):
            return clock.read_time(text, zone)
        case At(at, weekdays):
            return next_at(base, zone, at, weekdays, strictly=run.passed_at == base)
        case UntilTrait(trait, offset, is_before):
            value: Any = context.scope.record["profiles"].traits
            for part in trait.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            found = clock.read_time(value, zone) if isinstance(value, str) else None
            if found is None:
                return None
            return clock.before(found, offset, zone) if is_before else clock.after(found, offset, zone)
    return None


def _zone_name(zone: str, context: Context) -> str:
    if zone == "profile":
        return context.zone
    return context.scope.workspace.zone if zone == "workspace" else zone


def _zone(document: dict[str, Any], here: str, problems: Problems) -> str:
    zone = problems.text(document.get("zone", "profile"), f"{here}/zone", "profile, workspace or an IANA zone")
    if zone not in ("profile", "workspace", ""):
        problems.guard(f"{here}/zone", lambda: clock.zone_info(zone), None)
    return zone


def _read_days(document: dict[str, Any], here: str, problems: Problems) -> Days:
    days = problems.number(document["days"], f"{here}/days", "the number of days", 1, 36_600)
    if days != int(days):
        problems.note(f"{here}/days", "not_a_number", "days are whole; write hours as 36h")
    return Days(int(days))


def _read_until(document: dict[str, Any], here: str, problems: Problems) -> Until | UntilTrait:
    raw, here = document["until"], f"{here}/until"
    if isinstance(raw, str):
        if clock.read_time(raw) is None:
            problems.note(here, "invalid_time", f"{raw!r} is no time: write it like 2026-12-24T09:00")
        return Until(raw)
    trait = problems.object(raw, here, ("trait", "offset"))
    name = problems.text(trait.get("trait"), f"{here}/trait", "the trait's path")
    offset = problems.text(trait.get("offset", "0s"), f"{here}/offset", "a duration such as -3d")
    length = problems.duration(offset.lstrip("+-") if offset[:1] in ("+", "-") else offset, f"{here}/offset")
    return UntilTrait(name, length, offset.startswith("-"))


def _read_at(document: dict[str, Any], here: str, problems: Problems) -> At:
    at = problems.guard(f"{here}/at", lambda: time_of_day(document["at"]), time(0))
    if "weekday" not in document:
        return At(at, frozenset(range(7)))
    raw = document["weekday"]
    days = set()
    for index, day in enumerate([raw] if isinstance(raw, str) else problems.items(raw, f"{here}/weekday", "weekday")):
        if day in WEEKDAYS:
            days.add(WEEKDAYS.index(day))
        else:
            problems.note(f"{here}/weekday/{index}", "invalid_weekday", f"{day!r} is none of {', '.join(WEEKDAYS)}")
    return At(at, frozenset(days) or frozenset(range(7)))


_FORMS = {"days": _read_days, "until": _read_until, "at": _read_at}

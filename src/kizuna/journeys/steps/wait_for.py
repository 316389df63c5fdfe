"""`wait_for`: the first of several events, for at most `timeout`; it does not look back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from kizuna.core import clock
from kizuna.core.clock import DAY, Duration
from kizuna.engine.moment import Moment
from kizuna.journeys.problems import Problems
from kizuna.journeys.run import Run
from kizuna.journeys.steps import Context, Next, Proceed, Step, Target, Wait
from kizuna.journeys.trigger import Trigger, parse_trigger

MOST = 20  # triggers of one step


class Awaited(Struct, frozen=True):
    trigger: Trigger
    next: str  # "" goes on to the step that follows
    pointer: str


class WaitFor(Step):
    name = "wait_for"
    beside = ("timeout", "else")

    class Settings(Struct, frozen=True):
        awaited: tuple[Awaited, ...]
        timeout: Duration
        otherwise: str
        otherwise_at: str

    def parse(self, raw: dict[str, Any], pointer: str, problems: Problems) -> Settings:
        here = f"{pointer}/wait_for"
        listed = problems.items(raw["wait_for"], here, "event")
        if len(listed) > MOST:
            problems.note(here, "too_many", f"at most {MOST} events in one step")
        awaited = []
        for index, each in enumerate(listed):
            at = f"{here}/{index}"
            trigger = parse_trigger(each, at, problems, also=("next",))
            to = problems.text(each["next"], f"{at}/next", "a step's id") if _has(each, "next") else ""
            awaited.append(Awaited(trigger, to, f"{at}/next"))
        return self.Settings(
            tuple(awaited),
            problems.duration(raw["timeout"], f"{pointer}/timeout") if "timeout" in raw else Duration(7 * DAY),
            problems.text(raw["else"], f"{pointer}/else", "a step's id") if "else" in raw else "",
            f"{pointer}/else",
        )

    def arrive(self, run: Run, settings: Settings, context: Context) -> Next:
        return Wait(clock.after(run.arrived_at, settings.timeout, context.zone))

    def due(self, run: Run, settings: Settings, context: Context) -> Next:
        return Proceed(settings.otherwise)

    def hear(self, run: Run, settings: Settings, moment: Moment, context: Context) -> Next | None:
        if moment.timestamp < run.since:
            return None
        return next(
            (Proceed(each.next) for each in settings.awaited if each.trigger.matches(moment, context.zone)), None
        )

    def targets(self, settings: Settings) -> Iterable[Target]:
        for each in settings.awaited:
            if each.next:
                yield Target(each.pointer, each.next)
        if settings.otherwise:
            yield Target(settings.otherwise_at, settings.otherwise)

    def falls_through(self, settings: Settings) -> bool:
        return not settings.otherwise or any(not each.next for each in settings.awaited)

    def waits(self, settings: Settings) -> bool:
        return settings.timeout != Duration()

    def events(self, settings: Settings) -> Iterable[str]:
        return (each.trigger.event for each in settings.awaited)


def _has(raw: Any, key: str) -> bool:
    return isinstance(raw, dict) and key in raw

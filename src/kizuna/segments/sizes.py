"""How large a segment was, step by step: from the facts of entering and leaving, and of customers found to be one."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from kizuna.core import calendar, clock
from kizuna.core.clock import HOUR
from kizuna.core.errors import FieldError, Invalid
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake
from kizuna.segments import store

MOST_STEPS = 5_000
_STEP = re.compile(r"([1-9]\d{0,2})(h|d|w|mo|y)\Z")


class Step(Struct, frozen=True):
    """Begins at `start`, ends where the next one begins."""

    shown: str  # a local date, or for hours the instant
    start: int


async def sizes(
    lake: Lake, database: Database, workspace: int, name: str, step: str, start: int | None, end: int, zone: str
) -> list[dict[str, Any]]:
    """`[{start, value, n, entered, left, joined}]`: the size at the end of each step, and what changed it."""
    asked = {"name": name}
    questions = [(store.FIRST_CHANGE, asked), (store.MEMBERS_JOINED, asked), (store.JOINS, asked)]
    first, changes, joins = await lake.query_all(database, workspace, questions)
    begun: int = end if first[0][0] is None else min(first[0][0], end)
    steps = cut(begun if start is None else start, end, step, zone)
    starts = [each.start for each in steps]
    flows = await lake.query(database, workspace, store.FLOWS, {"name": name, "starts": starts, "end": end})
    entered, left = [0] * (len(steps) + 1), [0] * (len(steps) + 1)  # the first are those before all steps
    for place, came, went in flows:
        entered[place], left[place] = came, went
    joined = [0] * (len(steps) + 1)
    for at in doubles(changes, joins):
        if at < end:
            joined[bisect_right(starts, at)] += 1
    size, series = 0, []
    for place, each in enumerate([None, *steps]):
        size += entered[place] - left[place] - joined[place]
        if each:
            series.append(
                {"start": each.shown, "value": size, "n": size, "entered": entered[place], "left": left[place],
                 "joined": joined[place]}
            )  # fmt: skip
    return series


def doubles(changes: Iterable[Sequence[Any]], joins: Iterable[Sequence[Any]]) -> list[int]:
    """The instants at which two members were found to be one customer.

    `changes` are (profile, whether it entered, place) and `joins` (survivor, merged, timestamp, place), where places
    order what was said to one profile.
    """
    told: dict[str, list[tuple[Any, Any]]] = {}
    for profile, came, *place in changes:
        told.setdefault(profile, []).append((place, bool(came)))
    for survivor, merged, at, *place in joins:
        told.setdefault(survivor, []).append((place, (merged, at)))
    found: list[int] = []
    known: dict[str, bool] = {}

    def is_inside(profile: str) -> bool:
        """At the end of what was said to it; a merged record hears nothing afterwards."""
        if profile not in known:
            known[profile] = inside = False
            for _, said in sorted(told.get(profile, ()), key=lambda each: each[0]):
                if isinstance(said, bool):
                    inside = said
                elif is_inside(said[0]):
                    if inside:
                        found.append(said[1])
                    inside = True
            known[profile] = inside
        return known[profile]

    for profile in list(told):
        is_inside(profile)
    return found


def cut(start: int, end: int, step: str, zone: str) -> list[Step]:
    """The steps that hold [start, end), the first one whole; at least one."""
    match = _STEP.match(step)
    if not match:
        raise _refused("invalid_step", f"step={step!r} must be like 1h, 1d, 1w, 1mo or 1y")
    count, unit = int(match[1]), match[2]
    found: list[Step] = []
    if unit == "h":
        at = start - (start + clock.offset(start, zone)) % HOUR
        while not found or at < end:
            found.append(Step(clock.show(at), at))
            at = _bounded(found, at + count * HOUR)
    else:
        day = calendar.begin(start, unit, zone)
        while not found or calendar.midnight(day, zone) < end:
            if found and found[-1].start == calendar.midnight(day, zone):
                found.pop()  # a day that the zone leaves out
            found.append(Step(day.isoformat(), calendar.midnight(day, zone)))
            day = _bounded(found, calendar.later(day, count, unit))
    return found


def _bounded(found: list[Any], following: Any) -> Any:
    if len(found) > MOST_STEPS:
        raise _refused("too_many_steps", f"that are more than {MOST_STEPS} steps: ask for longer ones, or say `from`")
    return following


def _refused(code: str, message: str) -> Invalid:
    return Invalid(message, code=code, errors=[FieldError("/step", code, message)])

"""How far people get: the longest chain of steps of each profile within a window counted from step 1."""
# ruff: noqa: S608  (SQL is put together from this file's own text; values are parameters)

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from statistics import median
from typing import Any, Literal

from msgspec import Struct, field

from kizuna.core import clock
from kizuna.core.errors import Invalid
from kizuna.insight import period
from kizuna.insight.ask import Asker, Filter, want
from kizuna.insight.figure import number

Order = Literal["strict", "ordered", "any"]
Moment = tuple[int, int]  # instant, and the steps the event may serve as bits; 0 bits: another event
MOST_STEPS = 20
MOST_EVENTS = 2_000_000


class Funnel(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request."""

    steps: list[Filter]
    window: str = "30d"
    order: Order = "ordered"
    by: str | None = None  # properties.x: its value at step 1
    segment: str | None = None
    since: str | None = field(default=None, name="from")
    until: str | None = field(default=None, name="to")
    zone: str | None = None


async def funnel(asked: Funnel, asker: Asker) -> dict[str, Any]:
    """`steps: [{profiles, rate, from_previous, median_seconds}]`, with `by` also `groups`."""
    if not 1 <= len(asked.steps) <= MOST_STEPS:
        raise Invalid(f"a funnel has between 1 and {MOST_STEPS} steps", code="invalid_steps")
    length = clock.duration(asked.window)
    zone = asked.zone or asker.workspace.zone
    span = period.read(asked.since, asked.until, zone, asker.now)
    wanted = [want(step, f"/steps/{place}", asker) for place, step in enumerate(asked.steps)]
    bits = " + ".join(f"CASE WHEN {each.sql} THEN {1 << place} ELSE 0 END" for place, each in enumerate(wanted))
    segment = "AND profile IN (SELECT profile FROM memberships WHERE segment = $segment)" if asked.segment else ""
    others = "" if asked.order == "strict" else "WHERE bits > 0"
    sql = f"""
    SELECT profile, timestamp, bits, part FROM (
        SELECT profile, timestamp, arrival, {bits} AS bits,
               {"json_extract_string(properties, $path)" if asked.by else "NULL"} AS part
        FROM events WHERE type IN ('track', 'page', 'screen', 'fact', 'report')
        AND timestamp >= $start AND timestamp < $end {segment}
    ) {others} ORDER BY profile, timestamp, arrival LIMIT {MOST_EVENTS + 1}"""
    params: dict[str, Any] = {"start": -(1 << 62) if span.start is None else span.start, "end": span.end}
    if asked.segment:
        params["segment"] = asked.segment
    if asked.by:
        params["path"] = _path(asked.by)
    for each in wanted:
        params |= each.params
    rows = await asker.rows(sql, params, wanted)
    if len(rows) > MOST_EVENTS:
        raise Invalid(f"more than {MOST_EVENTS} events: ask for a shorter period", code="too_many_events")
    chains: dict[Any, list[list[int]]] = {}
    for _, events in groupby(rows, key=lambda row: row[0]):
        told = list(events)
        chain, first = longest_chain([(row[1], row[2]) for row in told], len(wanted), length, asked.order, zone)
        if chain:
            chains.setdefault(told[first][3] if asked.by else None, []).append(chain)
    everyone = [chain for found in chains.values() for chain in found]
    answer: dict[str, Any] = {"steps": _steps(everyone, asked.steps)}
    if asked.by:
        groups = sorted(chains.items(), key=lambda item: (-len(item[1]), str(item[0])))
        answer["groups"] = [{"by": part, "steps": _steps(found, asked.steps)} for part, found in groups]
    return answer | {
        "unit": "profiles",
        "n": len(everyone),
        "order": asked.order,
        "window": asked.window,
        "definition": "Profiles by the longest chain of steps within the window, which counts from step 1.",
        **span.shown(),
    }


def longest_chain(
    events: Sequence[Moment], steps: int, window: clock.Duration, order: Order, zone: str = "UTC"
) -> tuple[list[int], int]:
    """The instants of the steps reached, and the place of the event that began it. Events come in order."""
    if order == "any":
        return _longest_in_any_order(events, steps, window, zone)
    best: tuple[list[int], int] = ([], 0)
    open_chains: list[tuple[list[int], int, int] | None] = [None] * steps  # by steps done: the latest start wins
    for place, (at, bits) in enumerate(events):
        moved = [False] * steps
        for step in range(steps - 1, -1, -1):  # downward, so that one event serves one step of a chain
            if not bits >> step & 1:
                continue
            if step == 0:
                found = ([at], place, clock.after(at, window, zone))
            else:
                before = open_chains[step - 1]
                if before is None or at > before[2]:
                    continue
                found = ([*before[0], at], before[1], before[2])
            open_chains[step], moved[step] = found, True
            if len(found[0]) > len(best[0]):
                best = (found[0], found[1])
        if order == "strict":  # any other event ends a chain; a repeat of the step just done does not
            open_chains = [
                chain if moved[step] or (chain and bits >> step & 1) else None for step, chain in enumerate(open_chains)
            ]
    return best


def _longest_in_any_order(
    events: Sequence[Moment], steps: int, window: clock.Duration, zone: str
) -> tuple[list[int], int]:
    """Any step may begin; each event serves one step still open."""
    best: tuple[list[int], int] = ([], 0)
    for place, (start, bits) in enumerate(events):
        if not bits:
            continue
        end, done, chain = clock.after(start, window, zone), 0, list[int]()
        for at, other in events[place:]:
            if at > end or len(chain) == steps:
                break
            free = other & ~done
            if free:
                done |= free & -free
                chain.append(at)
        if len(chain) > len(best[0]):
            best = (chain, place)
    return best


def _steps(chains: Iterable[list[int]], steps: Sequence[Filter]) -> list[dict[str, Any]]:
    chains = list(chains)
    shown: list[dict[str, Any]] = []
    reached = [[chain for chain in chains if len(chain) > place] for place in range(len(steps))]
    for place, step in enumerate(steps):
        count = len(reached[place])
        waits = [(chain[place] - chain[place - 1]) / clock.SECOND for chain in reached[place]] if place else []
        before = len(reached[place - 1]) if place else 0
        shown.append(
            {
                "event": step.event,
                "profiles": count,
                "rate": count / len(reached[0]) if reached[0] else None,
                "from_previous": count / before if before else None,
                "median_seconds": number(median(waits)) if waits else None,
            }
        )
    return shown


def _path(by: str) -> str:
    keys = by.removeprefix("properties.").split(".")
    if not by.startswith("properties.") or not all(keys) or '"' in by or "\\" in by:
        raise Invalid(f"by={by!r} must be like properties.plan", code="invalid_by")
    return "$." + ".".join(f'"{key}"' for key in keys)

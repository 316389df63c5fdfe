"""Why a customer did not enter a journey, or not again: the first gate that did not open, and what it saw."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Sequence
from typing import Any

from msgspec import Struct

from kizuna.core import clock, ids
from kizuna.engine.moment import Item, Moment
from kizuna.insight.why.link import Link
from kizuna.insight.why.rule import judged
from kizuna.journeys.definition import Journey, parse
from kizuna.journeys.key import key_of
from kizuna.journeys.program import ACTIVE
from kizuna.journeys.section import Journeys
from kizuna.profiles.past import Then
from kizuna.profiles.section import zone_of
from kizuna.segments import answer

# Of the lake: what might have begun a run, newest first.
MIGHT_BEGIN = """
SELECT id, type, event, timestamp, properties, flags, logged_at, "index" FROM events
WHERE profile = $profile AND event = $event AND type IN ('track', 'page', 'screen', 'fact', 'report')
ORDER BY timestamp DESC, arrival DESC LIMIT 50
"""

Look = Callable[[int], Awaitable[Then | None]]  # the record as of an instant


class Asked(Struct, frozen=True, kw_only=True):
    """The journey that rules, what might have begun a run of it, and what did."""

    name: str
    version: int
    status: str
    published_at: int  # the version
    body: Any
    rows: Sequence[tuple[Any, ...]]  # the answer to `MIGHT_BEGIN`
    began: Container[str]  # ids of the events that began a run
    now: int


async def not_entered(asked: Asked, look: Look) -> tuple[str, list[Link]]:
    """A word for the gate at which the newest event that might have begun a run failed, and the links; or nothing."""
    journey, now, version = parse(asked.name, asked.body), asked.now, asked.version
    begins = asked.body["entry"]["on"]
    present = await look(now)
    if present is None:
        return "no_history", []
    if asked.status != ACTIVE:
        return asked.status, [_link(now, {"status": ACTIVE}, asked.status, version, asked.status)]
    if journey.entry.trigger is None:
        return "nobody_asked", [_link(now, begins, None, version, "nobody_asked")]
    zone = zone_of(present.scope.record, present.scope.workspace)
    matching = [moment for moment in map(_moment, asked.rows) if journey.entry.trigger.matches(moment, zone)]
    if not matching:
        return "no_trigger", [_link(now, begins, {"events": len(asked.rows), "matching": 0}, version, "no_trigger")]
    newest = matching[0]
    if newest.id in asked.began:
        return "", []
    seen = {"latest": clock.show(newest.at), "published_at": clock.show(asked.published_at)}
    too_early = _link(now, begins, seen, version, "before_publish")
    if newest.at < asked.published_at:
        return "before_publish", [too_early]
    gate, rule, seen, more = await _gate(journey, asked.body["entry"], newest, zone, look)
    if gate == "again" and newest.at == asked.published_at and not asked.began:  # a test clock stands still meanwhile
        return "before_publish", [too_early]
    began = _link(newest.at, begins, {"event": newest.id, "at": clock.show(newest.timestamp)}, version, "holds")
    return gate, [_link(newest.at, rule, seen, version, gate), *more, began]


async def _gate(
    journey: Journey, written: Any, moment: Moment, zone: str, look: Look
) -> tuple[str, Any, Any, list[Link]]:
    """(gate, rule, seen, further links) of the first other condition that failed, in the order of the fold."""
    entry, at = journey.entry, moment.at
    then, before = await look(at), await look(at - 1)
    status = then.scope.program["journeys"].status.get(journey.name) if then else None
    if moment.is_backfill:
        return "backfill", {"backfill": False}, True, []
    if status != ACTIVE:
        return status or "not_published", {"status": ACTIVE}, status, []
    if clock.before(at, entry.max_age, zone) > moment.timestamp:
        return "max_age", {"max_age": written.get("max_age", "72h")}, clock.show(moment.timestamp), []
    key = key_of(entry.key, moment) if entry.key else ""
    if key is None:
        return "no_key", {"key": entry.key}, None, []
    if entry.audience and then and not answer.holds(then.scope, entry.audience.key):
        return "audience", {"audience": entry.audience.raw}, False, judged(then, entry.audience.raw, None)
    section: Journeys = before.scope.record["journeys"] if before else Journeys()
    opened = [run for run in section.open if run.journey == journey.name and run.key == key]
    last = section.last(journey.name, key)
    seen = {
        "open_since": clock.show(opened[0].entered_at) if opened else None,
        "entered_at": clock.show(last.entered_at) if last else None,
    }
    return "again", {"again": written.get("again", "never")}, seen, []


def _moment(row: tuple[Any, ...]) -> Moment:
    name, kind, event, timestamp, properties, flags, logged_at, index = row
    item = Item(bytes(ids.ID_BYTES), name, kind, event, timestamp, (properties or "{}").encode(), flags=flags)
    return Moment(item, logged_at, 0, index)


def _link(at: int, rule: Any, seen: Any, version: int, outcome: str) -> Link:
    return {"at": clock.show(at), "rule": rule, "seen": seen, "version": version, "outcome": outcome}

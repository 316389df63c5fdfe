"""Entries by the calendar: each is a timer of the profile's own, set when published and moved with zone and traits."""

from __future__ import annotations

from kizuna.journeys.admit import admit_by_calendar
from kizuna.journeys.program import Plan
from kizuna.journeys.schedule import Calendar, Occurrence, first, zone_named
from kizuna.journeys.section import Clock
from kizuna.journeys.turn import Turn


def set_clocks(turn: Turn) -> None:
    """The next occurrence of each journey; one that is exactly now is still to come."""
    clocks, timed = turn.section.clocks, turn.program.timed
    for name in [name for name in clocks if name not in timed]:
        plan = turn.program.newest.get(name)
        if plan is not None and plan.journey.entry.timed:
            clocks[name].due = 0  # paused or stopped: what it had stays known
        else:
            del clocks[name]
        turn.touch()
    for name, plan in timed.items():
        known = clocks.get(name)
        # Who was there when it was published, and hears of it only now, missed nothing.
        since = turn.now if known else min(turn.now, max(plan.published_at, turn.scope.record.created_at))
        _set(turn, name, _coming(turn, plan, since, known.had if known else 0))


def ring(turn: Turn) -> None:
    """Enter what is due now."""
    for name, plan in turn.program.timed.items():
        known = turn.section.clocks.get(name)
        while known is not None and 0 < known.due <= turn.now:
            slot, known.had = known.slot, max(known.had, known.slot)
            zone, calendar = _reading(turn, plan)
            coming = first(calendar, zone, known.due, slot) if calendar else None
            _set(turn, name, coming)
            turn.touch()
            admit_by_calendar(turn, plan, slot)


def _coming(turn: Turn, plan: Plan, since: int, had: int) -> Occurrence | None:
    """The first from an instant on whose local time did not occur to this profile yet."""
    zone, calendar = _reading(turn, plan)
    if calendar is None:
        return None
    found = first(calendar, zone, since)
    while found is not None and found.slot <= had:
        found = first(calendar, zone, found.instant, found.slot)
    return found


def _reading(turn: Turn, plan: Plan) -> tuple[str, Calendar | None]:
    """The zone it is read in, and its calendar for this profile."""
    timed = plan.journey.entry.timed
    if timed is None:
        return turn.zone, None
    zone = zone_named(timed.zone, turn.zone, turn.scope.workspace.zone)
    return zone, timed.calendar(turn.scope.record["profiles"].traits, zone)


def _set(turn: Turn, name: str, coming: Occurrence | None) -> None:
    clock = turn.section.clocks.get(name)
    if clock is None:
        clock = turn.section.clocks[name] = Clock()
        turn.touch()
    due, slot = (coming.instant, coming.slot) if coming else (0, 0)
    if (clock.due, clock.slot) != (due, slot):
        clock.due, clock.slot = due, slot
        turn.touch()

"""Who comes back: cohorts by the unit of their start, and how many of them return k units later."""
# ruff: noqa: S608  (SQL is put together from this file's own text; values are parameters)

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from kizuna.core import clock
from kizuna.core.errors import Invalid
from kizuna.insight import period
from kizuna.insight.ask import Asker, Filter, want
from kizuna.insight.period import Cut

_UNITS = {"day": "1d", "week": "1w", "month": "1mo"}
MOST_PERIODS = 400


class Retention(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request."""

    start: Filter
    returned: Filter = field(name="return")
    unit: Literal["day", "week", "month"] = "month"
    periods: int = 12  # units, the start unit included
    first_time: bool = True  # a customer belongs to the unit of their first start ever; else to each they start in
    mode: Literal["on", "on_or_after"] = "on"
    since: str | None = field(default=None, name="from")
    until: str | None = field(default=None, name="to")
    zone: str | None = None
    segment: str | None = None


async def retention(asked: Retention, asker: Asker) -> dict[str, Any]:
    """`cohorts: [{start, size, returned[]}]`; a row ends with the unit that now lies in."""
    if not 1 <= asked.periods <= MOST_PERIODS:
        raise Invalid(f"`periods` is between 1 and {MOST_PERIODS}", code="invalid_periods")
    zone = asked.zone or asker.workspace.zone
    span = period.read(asked.since, asked.until, zone, asker.now)
    start, back = want(asked.start, "/start", asker), want(asked.returned, "/return", asker)
    first = span.start
    if first is None:
        rows = await asker.rows(f"SELECT min(timestamp) FROM events WHERE {start.sql}", start.params, [start])
        first = asker.now if rows[0][0] is None else rows[0][0]
    horizon = max(asker.now + 1, span.end)
    units = period.cuts(min(first, span.end), horizon, _UNITS[asked.unit], zone)
    known = len([unit for unit in units if unit.start <= asker.now]) or 1  # units that have begun
    params = {
        "starts": [unit.start for unit in units],
        "units": list(range(len(units))),
        "start": first,
        "end": span.end,
        **({"segment": asked.segment} if asked.segment else {}),
    }
    rows = await asker.rows(_sql(asked, start.sql, back.sql), params | start.params | back.params, [start, back])
    counts: dict[int, dict[int, int]] = {}
    for cohort, after, profiles in rows:
        counts.setdefault(cohort, {})[after] = profiles
    cohorts = [unit for unit in units if unit.start < span.end]
    return {
        "cohorts": [
            _row(unit, counts.get(place, {}), min(asked.periods, max(known - place, 1)), asked.mode)
            for place, unit in enumerate(cohorts)
        ],
        "unit": asked.unit,
        "n": sum(found.get(0, 0) for found in counts.values()),
        "mode": asked.mode,
        "first_time": asked.first_time,
        "incomplete": clock.show(units[known - 1].start),  # the unit that now lies in may still grow
        "definition": "Customers of a cohort (those who start in its unit) who return k units later.",
        **span.shown(),
    }


def _row(unit: Cut, counts: dict[int, int], length: int, mode: str) -> dict[str, Any]:
    size = counts.get(0, 0)
    if mode == "on":
        returned = [counts.get(after, 0) for after in range(length)]
    else:  # counts are by the last return
        returned = [size, *(sum(n for last, n in counts.items() if last >= k) for k in range(1, length))]
    return {"start": unit.day.isoformat(), "size": size, "returned": returned}


def _sql(asked: Retention, start: str, back: str) -> str:
    """(cohort, units after, customers); 0 units after is the size of the cohort."""
    segment = "WHERE profile IN (SELECT profile FROM memberships WHERE segment = $segment)" if asked.segment else ""
    starts = f"SELECT profile, timestamp FROM events WHERE {start} AND timestamp < $end"
    if asked.first_time:
        starts = f"SELECT profile, min(timestamp) AS timestamp FROM ({starts}) GROUP BY profile"
    after = "b.unit - m.unit"
    per_member = f"SELECT m.unit AS cohort, m.profile, {after} AS after"
    if asked.mode == "on_or_after":
        per_member = f"SELECT m.unit AS cohort, m.profile, max({after}) AS after"
    return f"""
    WITH units AS (SELECT unnest($starts::BIGINT[]) AS start, unnest($units::INT[]) AS unit),
    starts AS (SELECT * FROM ({starts}) WHERE timestamp >= $start),
    members AS (
        SELECT DISTINCT s.profile, u.unit FROM starts s ASOF JOIN units u ON s.timestamp >= u.start {segment}
    ), backs AS (
        SELECT DISTINCT e.profile, u.unit
        FROM (SELECT profile, timestamp FROM events WHERE {back} AND timestamp >= $start) e
        ASOF JOIN units u ON e.timestamp >= u.start
    )
    SELECT unit, 0, count(*) FROM members GROUP BY unit
    UNION ALL
    SELECT cohort, after, count(*) FROM (
        {per_member} FROM members m JOIN backs b ON b.profile = m.profile AND b.unit > m.unit GROUP BY ALL
    ) GROUP BY cohort, after
    """

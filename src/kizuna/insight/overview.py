"""A workspace at a glance: live counters, orders, revenue and retention; cheap enough to be polled."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from decimal import Decimal
from typing import Any

from msgspec import Struct, structs

from kizuna.core import clock
from kizuna.insight import money, store
from kizuna.insight.ask import Asker, Filter
from kizuna.insight.figure import divide, number, wilson
from kizuna.insight.period import Cut, cuts
from kizuna.insight.retention import Retention, retention

FRESH_SECONDS = 4.0  # the lake is asked at most this often
REMEMBERED = 64
DAYS = 90  # of the daily series
COHORTS = 13

_TOTALS = """
SELECT count(*), coalesce(sum(value), 0), coalesce(sum(net), 0), count(DISTINCT profile),
       (SELECT count(*) FROM (SELECT profile FROM orders GROUP BY profile HAVING count(*) >= 2)), min(timestamp),
       count(value), count(*) FILTER (WHERE coalesce(currency, $currency) <> $currency)
FROM (SELECT profile, timestamp, currency, CASE WHEN coalesce(currency, $currency) = $currency THEN value END AS value,
             CASE WHEN coalesce(currency, $currency) = $currency THEN net END AS net FROM orders)
"""
_REFUNDS = """
SELECT coalesce(sum(amount), 0), coalesce(sum(amount) FILTER (WHERE NOT known), 0) FROM refunds
WHERE coalesce(currency, $currency) = $currency
"""
_EVENTS = """
SELECT count(*), count(*) FILTER (WHERE timestamp >= $midnight AND timestamp <= $now) FROM said
WHERE type IN ('track', 'identify', 'page', 'screen', 'group', 'alias')
"""
_SERIES = """
WITH cuts AS (SELECT unnest($starts::BIGINT[]) AS start, unnest($places::INT[]) AS place)
SELECT place, count(*), coalesce(sum(value) FILTER (WHERE coalesce(currency, $currency) = $currency), 0),
       coalesce(sum(net) FILTER (WHERE coalesce(currency, $currency) = $currency), 0)
FROM orders o ASOF JOIN cuts c ON o.timestamp >= c.start WHERE o.timestamp <= $now GROUP BY place
"""


class _Kept(Struct):
    """The lake's part of an overview, and when it was made."""

    lock: asyncio.Lock
    made_at: float = 0.0
    grown: int = -1
    found: dict[str, Any] | None = None


class Overviews:
    """Answers for all workspaces of a server; parts from the lake are kept for some seconds."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, _Kept] = OrderedDict()

    async def overview(self, asker: Asker) -> dict[str, Any]:
        """`{profiles, events_today, events_total, segments, messages, orders, revenue, aov, repeat_rate, ...}`."""
        workspace = asker.workspace
        async with asker.database.connection() as conn:
            live = await store.live(conn, workspace.id)
        return {
            "at": clock.show(live.now),
            "zone": workspace.zone,
            "currency": workspace.currency,
            "clock": workspace.clock,
            "profiles": live.profiles,
            "segments": [
                {"name": name.removeprefix("segment:"), "members": members}
                for name, members in sorted(live.counters.items())
                if name.startswith("segment:")
            ],
            "active_runs": sum(value for name, value in live.counters.items() if name.startswith("journey:")),
            "messages": live.messages,
            **await self._from_lake(structs.replace(asker, now=live.now), live.grown + live.now // clock.HOUR),
        }

    async def _from_lake(self, asker: Asker, grown: int) -> dict[str, Any]:
        kept = self._kept.pop(asker.workspace.id, None) or _Kept(asyncio.Lock())
        self._kept[asker.workspace.id] = kept
        if len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)
        async with kept.lock:  # of many who poll, one asks
            is_fresh = time.monotonic() - kept.made_at < FRESH_SECONDS
            if kept.found is None or (kept.grown != grown and not is_fresh):
                kept.found = await read_lake(asker)
                kept.grown, kept.made_at = grown, time.monotonic()
            return kept.found


async def read_lake(asker: Asker) -> dict[str, Any]:
    """All that is counted from history."""
    currency, zone, now = asker.workspace.currency, asker.workspace.zone, asker.now
    in_currency = {"currency": currency}
    midnight = cuts(now, now, "1d", zone)[0].start
    totals, refunds, events = await asker.lake.query_all(
        asker.database,
        asker.workspace.id,
        [(_TOTALS, in_currency), (_REFUNDS, in_currency), (_EVENTS, {"midnight": midnight, "now": now})],
    )
    orders, gross, net, buyers, repeaters, first, priced, unconverted = totals[0]
    found = {
        "events_total": events[0][0],
        "events_today": events[0][1],
        "orders": orders,
        "customers": buyers,
        "revenue": money.show(gross, currency),
        "net_revenue": money.show(net, currency),
        "refunds": money.show(refunds[0][0], currency),
        "refunds_without_order": money.show(refunds[0][1], currency),
        "unconverted": unconverted,
        "aov": money.show(divide(gross, priced), currency, is_mean=True),
        "net_aov": money.show(divide(net, priced), currency, is_mean=True),
        "repeat_rate": number(divide(repeaters, buyers)),
        "repeat_rate_interval": wilson(repeaters, buyers),
    }
    if first is None:
        return found | {"months": [], "days": [], "retention": {"unit": "month", "cohorts": []}}
    months = cuts(first, now + 1, "1mo", zone)
    days = cuts(max(first, now - DAYS * clock.DAY), now + 1, "1d", zone)
    by_month, by_day = await asker.lake.query_all(
        asker.database,
        asker.workspace.id,
        [(_SERIES, _cut(months) | in_currency | {"now": now}), (_SERIES, _cut(days) | in_currency | {"now": now})],
    )
    completed = Filter("Order Completed")
    since = months[-COHORTS:][0].day.isoformat()
    cohorts = await retention(Retention(start=completed, returned=completed, periods=COHORTS, since=since), asker)
    return found | {
        "months": _series(months, by_month, currency),
        "days": _series(days, by_day, currency),
        "retention": {"unit": "month", "cohorts": cohorts["cohorts"]},
    }


def _cut(parts: list[Cut]) -> dict[str, Any]:
    return {"starts": [part.start for part in parts], "places": list(range(len(parts)))}


def _series(parts: list[Cut], rows: list[tuple[Any, ...]], currency: str) -> list[dict[str, Any]]:
    found = {place: (orders, gross, net) for place, orders, gross, net in rows}
    series = []
    for place, part in enumerate(parts):
        orders, gross, net = found.get(place, (0, Decimal(0), Decimal(0)))
        series.append(
            {
                "start": part.day.isoformat(),
                "orders": orders,
                "revenue": money.show(gross, currency),
                "net_revenue": money.show(net, currency),
            }
        )
    return series

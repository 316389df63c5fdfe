"""Customer lifetime value to come: fits BG/NBD and Gamma-Gamma to the purchases of all customers."""
# ruff: noqa: S608  (SQL is put together from this file's own text; values are parameters)

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from kizuna.core import clock
from kizuna.core.errors import Invalid
from kizuna.insight import money
from kizuna.insight.ask import Asker, Filter, want
from kizuna.insight.period import Cut, cuts, read

if TYPE_CHECKING:
    import numpy as np

ORDER_COMPLETED = "Order Completed"
WEEK_DAYS = 7.0
FEWEST_CUSTOMERS, FEWEST_REPEATERS = 500, 100
CORRELATED = 0.3


class Clv(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request."""

    event: str = ORDER_COMPLETED
    value: str | None = None  # a property; without it an order's net value
    until: str | None = None  # exclusive
    horizon: str = "12mo"
    zone: str | None = None


class Purchases(Struct, frozen=True):
    """Customers as columns, in weeks: see `bgnbd.Buyers`; `mean` is of the repeats."""

    profiles: list[str]
    x: np.ndarray
    t_x: np.ndarray
    age: np.ndarray
    mean: np.ndarray


async def clv(asked: Clv, asker: Asker) -> dict[str, Any]:
    """`{params, log_likelihood, expected_purchases, expected_value}` over the horizon, of all customers together."""
    zone = asked.zone or asker.workspace.zone
    span = read(None, asked.until, zone, asker.now)
    weeks = (clock.after(span.end, clock.duration(asked.horizon), zone) - span.end) / (WEEK_DAYS * clock.DAY)
    if weeks <= 0:
        raise Invalid("`horizon` must be longer than nothing", code="invalid_duration")
    rows = await _purchase_days(asked, asker, span.end, zone)
    return await asyncio.to_thread(answer, rows, weeks, asker.workspace.currency, span.shown())


def answer(rows: list[tuple[Any, ...]], weeks: float, currency: str, shown: dict[str, Any]) -> dict[str, Any]:
    """Fits and sums up; `rows` are as `_purchase_days` gives them."""
    import numpy as np

    from kizuna.insight import bgnbd, gamma_gamma

    bought = columns(rows)
    repeaters = (bought.x > 0) & (bought.mean > 0)
    told: dict[str, Any] = {
        "params": None,
        "log_likelihood": None,
        "expected_purchases": None,
        "expected_value": None,
        "unit": "money",
        "n": len(bought.profiles),
        "repeaters": int(np.sum(repeaters)),
        "weeks": weeks,
        "definition": "BG/NBD and Gamma-Gamma by maximum likelihood; one purchase per local day, in weeks; "
        "value before margin and discount.",
        **shown,
    }
    if len(bought.profiles) < FEWEST_CUSTOMERS or told["repeaters"] < FEWEST_REPEATERS:
        return told | {"note": f"needs {FEWEST_CUSTOMERS} customers, {FEWEST_REPEATERS} of whom bought again"}
    buyers = bgnbd.Buyers(bought.x, bought.t_x, bought.age)
    model = bgnbd.fit(buyers)
    values = gamma_gamma.fit(bought.x[repeaters], bought.mean[repeaters])
    purchases = bgnbd.expected_purchases(model, buyers, weeks)
    worth = gamma_gamma.expected_value(values, np.where(repeaters, bought.x, 0), bought.mean)
    correlation = float(np.corrcoef(bought.x[repeaters], bought.mean[repeaters])[0, 1])
    if abs(correlation) >= CORRELATED:
        told["warning"] = f"how often customers buy and what they pay are correlated ({correlation:.2f})"
    return told | {
        "params": {
            "r": model.r,
            "alpha": model.alpha,
            "a": model.a,
            "b": model.b,
            "p": values.p,
            "q": values.q,
            "v": values.v,
        },
        "log_likelihood": bgnbd.log_likelihood(model, buyers),
        "value_log_likelihood": gamma_gamma.log_likelihood(values, bought.x[repeaters], bought.mean[repeaters]),
        "expected_purchases": float(np.sum(purchases)),
        "expected_value": money.show(_cents(float(np.sum(purchases * worth))), currency),
        "alive": float(np.sum(bgnbd.p_alive(model, buyers))),
        "correlation": correlation,
    }


def columns(rows: list[tuple[Any, ...]]) -> Purchases:
    """From (profile, purchase days, first day, last day, last day of the period, value of the repeats)."""
    import numpy as np

    first, last, today = (np.array([row[place] for row in rows], dtype=float) for place in (2, 3, 4))
    x = np.array([row[1] - 1 for row in rows], dtype=float)
    total = np.array([float(row[5] or 0) for row in rows], dtype=float)
    return Purchases(
        [row[0] for row in rows],
        x,
        (last - first) / WEEK_DAYS,
        (today - first) / WEEK_DAYS,
        np.divide(total, x, out=np.zeros_like(total), where=x > 0),
    )


async def _purchase_days(asked: Clv, asker: Asker, end: int, zone: str) -> list[tuple[Any, ...]]:
    wanted = want(Filter(asked.event), "/event", asker)
    if asked.event == ORDER_COMPLETED and asked.value is None:
        source, params = "SELECT profile, timestamp, net AS value FROM orders WHERE timestamp < $end", {}
    else:
        path = "$." + ".".join(f'"{key}"' for key in _keys(asked.value or "value"))
        source = f"""SELECT profile, timestamp, coalesce(num(json_extract_string(properties, $path)), 0) AS value
            FROM events WHERE {wanted.sql} AND timestamp < $end"""
        params = wanted.params | {"path": path}
    first = await asker.rows(f"SELECT min(timestamp) FROM ({source})", {**params, "end": end})
    if first[0][0] is None:
        return []
    days = _days(first[0][0], end, zone)
    return await asker.rows(
        f"""
        WITH days AS (SELECT unnest($starts::BIGINT[]) AS start, unnest($days::INT[]) AS day),
        bought AS (
            SELECT profile, day, sum(value) AS value
            FROM ({source}) s ASOF JOIN days d ON s.timestamp >= d.start GROUP BY profile, day
        ), firsts AS (SELECT profile, min(day) AS first FROM bought GROUP BY profile)
        SELECT profile, count(*), min(day), max(day), $today, coalesce(sum(value) FILTER (WHERE day > first), 0)
        FROM bought JOIN firsts USING (profile) GROUP BY profile ORDER BY profile
        """,
        {
            **params,
            "end": end,
            "starts": [day.start for day in days],
            "days": [day.day.toordinal() for day in days],
            "today": days[-1].day.toordinal(),
        },
    )


def _days(start: int, end: int, zone: str) -> list[Cut]:
    return cuts(start, end, "1d", zone)


def _keys(text: str) -> list[str]:
    keys = text.removeprefix("properties.").split(".")
    if not all(keys) or '"' in text or "\\" in text:
        raise Invalid(f"`value` is no path of a property: {text!r}", code="invalid_value")
    return keys


def _cents(amount: float) -> Any:
    from decimal import Decimal

    return Decimal(f"{amount:.2f}")

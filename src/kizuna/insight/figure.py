"""One metric over a period: a value, a series, or a value for each part of the customers."""
# ruff: noqa: S608  (SQL is put together from the metrics' own text; values are parameters)

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import sqrt
from typing import Any, Literal

from msgspec import Struct

from kizuna.core.errors import Invalid
from kizuna.insight import money
from kizuna.insight.ask import Asker
from kizuna.insight.metrics import Metric
from kizuna.insight.period import Cut, Period, cuts

FEW = 30  # a figure that rests on fewer is marked
_Z = 1.959963984540054  # of a two-sided 95 % interval


class Question(Struct, frozen=True):
    """How a metric is asked for."""

    period: Period
    every: str | None = None
    by: str | None = None
    segment: str | None = None
    basis: Literal["net", "gross"] = "net"


async def figure(metric: Metric, question: Question, asker: Asker) -> dict[str, Any]:
    """`{value | series | groups, unit, n, definition, from, to}`."""
    period = question.period
    parts = [Cut(date.min, 0)]
    if question.every:
        first = period.start if period.start is not None else await _first_order(asker)
        parts = cuts(min(first, period.end), period.end, question.every, period.zone)
    sql, params = _sql(metric, question, parts, asker.workspace.currency)
    rows = await asker.rows(sql, params)
    found = {(bucket, part): (top, below, n) for bucket, part, top, below, n, _ in rows}
    groups = sorted({part for _, part in found}, key=str) if question.by else [""]
    shown = [
        {"by": group or None} | _of_group(metric, question, parts, asker.workspace.currency, found, group)
        for group in groups
    ]
    answer: dict[str, Any] = {"metric": metric.name}
    if question.by:
        answer["groups"] = shown
    else:
        answer |= {key: value for key, value in shown[0].items() if key != "by"}
    answer["n"] = sum(n for _, _, n in found.values())
    if metric.is_money:
        answer |= {"basis": question.basis, "unconverted": sum(row[5] for row in rows)}
    return answer | {"unit": metric.unit, "definition": metric.definition} | period.shown()


def _of_group(
    metric: Metric, question: Question, parts: list[Cut], currency: str, found: dict[Any, Any], group: str
) -> dict[str, Any]:
    nothing = (0, 0, 0)
    if question.every:
        series = [
            {"start": cut.day.isoformat(), **_shown(metric, found.get((place, group), nothing), currency)}
            for place, cut in enumerate(parts)
        ]
        return {"series": series}
    return _shown(metric, found.get((0, group), nothing), currency)


def _shown(metric: Metric, row: tuple[Any, Any, int], currency: str) -> dict[str, Any]:
    top, below, n = row
    value = divide(top, below) if metric.below else top
    answer: dict[str, Any] = {"n": n}
    if metric.is_money:
        answer["value"] = money.show(value, currency, is_mean=metric.below is not None)
    else:
        answer["value"] = number(value)
    if metric.unit == "share":
        answer["interval"] = wilson(int(top), int(below))
    if n < FEW:
        answer["small"] = True
    return answer


def divide(top: Any, below: Any) -> Decimal | None:
    """None where there is nothing to divide by: a denominator of zero has no answer."""
    return Decimal(top) / Decimal(below) if below else None


def number(value: Any) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)


def wilson(hits: int, n: int) -> list[float] | None:
    """The 95 % interval of a share."""
    if not n:
        return None
    share, square = hits / n, _Z * _Z
    middle, width = share + square / (2 * n), _Z * sqrt(share * (1 - share) / n + square / (4 * n * n))
    return [(middle - width) / (1 + square / n), (middle + width) / (1 + square / n)]


async def _first_order(asker: Asker) -> int:
    rows = await asker.rows("SELECT min(timestamp) FROM orders")
    return asker.now if rows[0][0] is None else rows[0][0]


def _sql(metric: Metric, question: Question, parts: list[Cut], currency: str) -> tuple[str, dict[str, Any]]:
    period = question.period
    params: dict[str, Any] = {
        "currency": currency,
        "starts": [cut.start if question.every else -(1 << 62) for cut in parts],
        "buckets": list(range(len(parts))),
        "start": -(1 << 62) if period.start is None else period.start,
        "end": period.end,
    }
    where, part, join = "", "''", ""
    if question.segment:
        where = "AND o.profile IN (SELECT profile FROM memberships WHERE segment = $segment)"
        params["segment"] = question.segment
    if question.by:
        part, join = "coalesce(json_extract_string(p.traits, $path), '')", "LEFT JOIN profiles p USING (profile)"
        params["path"] = trait_path(question.by)
    sql = f"""
    WITH ranked AS (
        SELECT *, row_number() OVER (PARTITION BY profile ORDER BY timestamp, arrival, order_id) AS nth FROM orders
    ), cuts AS (SELECT unnest($starts::BIGINT[]) AS start, unnest($buckets::INT[]) AS bucket),
    counted AS (
        SELECT o.order_id, o.profile, o.timestamp, o.units, o.nth, c.bucket, {part} AS part,
               CASE WHEN coalesce(o.currency, $currency) = $currency THEN o.{_AMOUNT[question.basis]} END AS amount
        FROM ranked o ASOF JOIN cuts c ON o.timestamp >= c.start {join}
        WHERE o.timestamp >= $start AND o.timestamp < $end {where}
    ), skipped AS (
        SELECT bucket, part, count(*) FILTER (WHERE amount IS NULL) AS unconverted FROM counted GROUP BY ALL
    )
    SELECT bucket, part, {metric.top}, {metric.below or "NULL"}, {metric.n}, any_value(unconverted)
    FROM {metric.rows} LEFT JOIN skipped USING (bucket, part) GROUP BY bucket, part
    """
    return sql, params


def trait_path(text: str) -> str:
    """A dotted path into traits as DuckDB writes it."""
    if text in ("channel", "campaign"):
        raise Invalid(f"by={text} is not supported yet: name a trait such as country", code="not_yet_supported")
    keys = text.removeprefix("traits.").split(".")
    if not all(keys) or any(sign in text for sign in '"\\*'):
        raise Invalid(f"by={text!r} is no path into traits", code="invalid_by")
    return "$." + ".".join(f'"{key}"' for key in keys)


_AMOUNT = {"net": "net", "gross": "value"}

"""What became of messages: planned, sent, opened ..., by journey, campaign, template or channel."""
# ruff: noqa: S608  (SQL is put together from this file's own text; values are parameters)

from __future__ import annotations

from typing import Any

from kizuna.core.errors import Invalid
from kizuna.insight.ask import Asker
from kizuna.insight.figure import divide, number
from kizuna.insight.period import Period

STATES = (
    *("planned", "skipped", "sent", "delivered", "bounced", "opened", "clicked", "unsubscribed", "complained"),
    *("rejected", "expired", "unknown"),
)
DIMENSIONS = ("journey", "campaign", "template", "channel", "step", "variant", "topic")

_SAID_AT = "coalesce(planned_at, skipped_at, sent_at, 0)"

# Unique people of each message; the denominators differ on purpose (see the metrics' definitions).
RATES = {
    "delivery_rate": ("delivered", "sent"),
    "bounce_rate": ("bounced", "sent"),
    "open_rate": ("opened", "delivered"),
    "click_rate": ("clicked", "delivered"),
    "click_to_open_rate": ("clicked", "read"),
    "unsubscribe_rate": ("unsubscribed", "delivered"),
    "complaint_rate": ("complained", "delivered"),
}


async def message_funnel(period: Period, by: str | None, only: dict[str, str], asker: Asker) -> dict[str, Any]:
    """Counts of messages planned in the period, by every state they were ever in; a human's opens and clicks."""
    if by is not None and by not in DIMENSIONS:
        raise Invalid(f"by={by!r} must be one of {', '.join(DIMENSIONS)}", code="invalid_by")
    counts = ", ".join(f"count({state}_at) AS {state}" for state in STATES)
    where = "".join(f" AND {name} = ${name}" for name in only)
    rows = await asker.rows(
        f"""SELECT {by or "NULL"} AS part, count(*) AS n, {counts},
                   count(*) FILTER (WHERE opened_at IS NOT NULL OR clicked_at IS NOT NULL) AS read,
                   count(*) FILTER (WHERE sent_at IS NULL AND delivered_at IS NOT NULL) AS unsaid
            FROM messages
            WHERE {_SAID_AT} >= $start AND {_SAID_AT} < $end {where}
            GROUP BY part ORDER BY n DESC, part""",
        {"start": -(1 << 62) if period.start is None else period.start, "end": period.end, **only},
    )
    reasons = await asker.rows(
        f"""SELECT coalesce(reason, ''), count(*) FROM messages WHERE skipped_at >= $start AND skipped_at < $end {where}
            GROUP BY ALL ORDER BY 2 DESC, 1""",
        {"start": -(1 << 62) if period.start is None else period.start, "end": period.end, **only},
    )
    groups = [_group(row) for row in rows]
    total = [sum(column) for column in zip(*(row[1:] for row in rows), strict=True)] or [0] * (len(STATES) + 3)
    answer = {key: value for key, value in _group((None, *total)).items() if key != "by"}
    if by is not None:
        answer["groups"] = groups
    return answer | {
        "skipped_by_reason": dict(reasons),
        "unit": "messages",
        "definition": "Messages planned in the period by the states they reached; opens and clicks of machines aside.",
        **period.shown(),
    }


def _group(row: tuple[Any, ...]) -> dict[str, Any]:
    part, n, *counts, read, unsaid = row
    states = dict(zip(STATES, counts, strict=True))
    found = {**states, "read": read, "sent": states["sent"] + unsaid}
    rates = {name: number(divide(found[top], found[below])) for name, (top, below) in RATES.items()}
    return {"by": part, "n": n, "states": states | {"sent": found["sent"]}, "rates": rates}

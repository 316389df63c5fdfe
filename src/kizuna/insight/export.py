"""All events, or all messages, of a period as lines of JSON: read and sent a few thousand at a time.

Lines come in no order. Events have the ids under which feeds tell them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from kizuna.core import clock
from kizuna.core.errors import TooMany
from kizuna.engine.moment import FROM_OUTSIDE
from kizuna.feeds.entry import OURS, Choice, body_of, place_of, type_of
from kizuna.insight.messages import STATES
from kizuna.insight.period import Period
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake

AT_ONCE = 2  # exports side by side

_NAMES = ("id", "profile", "channel", "template", "journey", "campaign", "variant", "step", "topic", "state", "reason")
_TOLD = ", ".join(f"'{kind}'" for kind in sorted(OURS | FROM_OUTSIDE))

EVENTS = f"""
SELECT partition, "offset", "index", profile, id, type, event, timestamp, received_at, properties, context, user_id,
       anonymous_id, caused_by
FROM events WHERE type IN ({_TOLD}) AND timestamp >= $start AND timestamp < $end
"""  # noqa: S608  # our own words
MESSAGES = f"""
SELECT message, profile, channel, template, journey, campaign, variant, step, topic, state, reason,
       {", ".join(f"{state}_at" for state in STATES)}
FROM messages WHERE coalesce(planned_at, skipped_at, sent_at, 0) >= $start
AND coalesce(planned_at, skipped_at, sent_at, 0) < $end
"""  # noqa: S608  # our own words

_gate = asyncio.Semaphore(AT_ONCE)
_encode = msgspec.json.encode


async def events(
    lake: Lake, database: Database, workspace: int, period: Period, choice: Choice
) -> AsyncIterator[bytes]:
    """As feeds tell them; the customer is the one of today, after merges."""
    async for rows in _pages(lake, database, workspace, EVENTS, period):
        yield b"".join([_line(*row) for row in rows if choice.takes(type_of(row[5], row[6]))])


async def messages(lake: Lake, database: Database, workspace: int, period: Period) -> AsyncIterator[bytes]:
    """One line a message planned or skipped in the period: what it was, and when it first was in each state."""
    async for rows in _pages(lake, database, workspace, MESSAGES, period):
        yield b"".join([_encode(_message(row)) + b"\n" for row in rows])


async def _pages(
    lake: Lake, database: Database, workspace: int, sql: str, period: Period
) -> AsyncIterator[list[tuple[Any, ...]]]:
    if _gate.locked():
        raise TooMany(f"{AT_ONCE} exports are under way: try again when one is done", retry_after=30)
    asked = {"start": period.start or 0, "end": period.end}
    async with _gate:
        async for rows in lake.pages(database, workspace, sql, asked):
            yield rows


def _line(
    partition: int, offset: int, index: int, profile: str, item: str, kind: str, event: str, timestamp: int,
    received: int, properties: str, context: str | None, user: str | None, anonymous: str | None, cause: str | None,
) -> bytes:  # fmt: skip
    said_by = (user or "", anonymous or "", cause or "")
    return (
        body_of(
            place_of(partition, offset, index), type_of(kind, event), profile, item, kind, event, timestamp, received,
            properties.encode(), (context or "").encode(), said_by,
        )
        + b"\n"
    )  # fmt: skip


def _message(row: tuple[Any, ...]) -> dict[str, Any]:
    times = dict(zip(STATES, row[len(_NAMES) :], strict=True))
    shown = {f"{state}_at": clock.show(at) for state, at in times.items() if at is not None}
    return {**dict(zip(_NAMES, row, strict=False)), **shown}

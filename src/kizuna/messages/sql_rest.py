"""SQL of providers that do not answer: until when they rest, and what they said; and what waits for each channel."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection, Connection

LONGEST_REASON = 500


class Rest(Struct, frozen=True):
    """A provider that did not answer when it was last asked. Instants of real time, microseconds."""

    failures: int  # in a row
    reason: str
    at: int
    rests_until: int  # then it is asked again, with one message


def put(connection: Connection[Any], workspace: int, lane: str, failures: int, reason: str, seconds: float) -> None:
    """It rests for so long from now on."""
    connection.execute(
        "INSERT INTO lane_rest (workspace, lane, failures, reason, at, rests_until)"
        " SELECT %s, %s, %s, %s, now, now + %s FROM real_now() AS now ON CONFLICT (workspace, lane) DO UPDATE SET"
        " failures = excluded.failures, reason = excluded.reason, at = excluded.at, rests_until = excluded.rests_until",
        [workspace, lane, failures, reason[:LONGEST_REASON], int(seconds * 1_000_000)],
    )


def drop(connection: Connection[Any], workspace: int, lane: str) -> None:
    """It answers."""
    connection.execute("DELETE FROM lane_rest WHERE workspace = %s AND lane = %s", [workspace, lane])


async def rests(conn: AsyncConnection[Any], workspace: int) -> dict[str, Rest]:
    """By the name of the pace."""
    found = await conn.execute(
        "SELECT lane, failures, reason, at, rests_until FROM lane_rest WHERE workspace = %s", [workspace]
    )
    return {row[0]: Rest(*row[1:]) for row in await found.fetchall()}


async def waiting(conn: AsyncConnection[Any], workspace: int, now: int) -> dict[str, int]:
    """By channel how many messages are due and not sent yet; what people carry waits until they say so."""
    found = await conn.execute(
        "SELECT channel, count(*) FROM message WHERE workspace = %s AND state IN ('planned', 'claimed', 'handed')"
        " AND due_at <= %s GROUP BY channel",
        [workspace, now],
    )
    return dict(await found.fetchall())

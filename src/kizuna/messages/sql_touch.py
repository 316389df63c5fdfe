"""SQL of opens and clicks as they come: kept for some minutes, until it is clear whether a machine did them."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection, Connection

from kizuna.core.clock import MINUTE
from kizuna.engine.append import Statement
from kizuna.messages.actor import AT_ONCE, MACHINE, SUSPECT_FOR, Touch

_KEPT = SUSPECT_FOR + MINUTE
_MOST = 500  # of one message: nobody makes us read more by asking often


def add(workspace: int, message: bytes, profile: bytes, touch: Touch, said_at: int) -> Statement:
    """The statement to run in the transaction that appends the item. `said_at` is by the workspace's clock, `at` by
    the database's: several servers write here, and a clock that stands still tells nothing about machines."""
    return (
        "INSERT INTO touch (workspace, item, message, profile, state, link, actor, said_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (workspace, touch.item, message, profile, touch.state, touch.link, touch.actor, said_at),
    )


async def of_message(conn: AsyncConnection[Any], workspace: int, message: bytes) -> list[Touch]:
    """The latest, as far back as they tell something about one that comes now."""
    found = await conn.execute(
        "SELECT item, state, link, at, actor FROM touch"
        " WHERE workspace = %s AND message = %s AND at > real_now() - %s ORDER BY at DESC LIMIT %s",
        [workspace, message, SUSPECT_FOR + AT_ONCE, _MOST],
    )
    return [Touch(*row) for row in await found.fetchall()]


async def claim(conn: AsyncConnection[Any], workspace: int, items: list[str]) -> list[tuple[bytes, str, str, int]]:
    """(profile, item, state, said_at) of those that are a machine's from now on: each is claimed once."""
    found = await conn.execute(
        "UPDATE touch SET actor = %s WHERE workspace = %s AND item = ANY(%s) AND actor <> %s"
        " RETURNING profile, item, state, said_at",
        [MACHINE, workspace, items, MACHINE],
    )
    return [(bytes(row[0]), *row[1:]) for row in await found.fetchall()]


async def hour(conn: AsyncConnection[Any], workspace: int) -> tuple[int, int, bool, list[str]]:
    """The workspace's time, real time, whether they are the same, and the networks that its policy calls scanners'."""
    found = await conn.execute(
        "SELECT CASE clock WHEN 'test' THEN now ELSE real_now() END, real_now(), clock <> 'test',"
        " coalesce((SELECT body -> 'scanners' FROM definition WHERE workspace = w.id AND kind = 'policy'"
        " AND name = 'policy' AND retired IS NULL), '[]') FROM workspace w WHERE id = %s",
        [workspace],
    )
    row = await found.fetchone()
    assert row, workspace  # noqa: S101  # a signed link names a workspace that exists
    return row


def forget(connection: Connection[Any]) -> None:
    connection.execute("DELETE FROM touch WHERE at < real_now() - %s", [_KEPT])

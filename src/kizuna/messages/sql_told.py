"""SQL of what is told from outside: each thing means something once, however often it is told."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection, Connection

from kizuna.core.clock import DAY
from kizuna.engine.append import Statement
from kizuna.messages.sql_sending import NOW

KEPT = 400 * DAY  # nobody tries again for so long, and what lies in a page has ended
MOST = 10_000  # rows a step


async def known(conn: AsyncConnection[Any], workspace: int, told: list[bytes]) -> list[bytes]:
    """Which of them were told before."""
    found = await conn.execute("SELECT id FROM told WHERE workspace = %s AND id = ANY(%s::bytea[])", [workspace, told])
    return [bytes(row[0]) for row in await found.fetchall()]


def once(workspace: int, told: bytes, at: int) -> Statement:
    """The statement to run in the transaction that appends what follows: the second of them breaks it."""
    return "INSERT INTO told (workspace, id, at) VALUES (%s, %s, %s)", (workspace, told, at)


def forget(connection: Connection[Any]) -> bool:
    """A step, of an autocommit connection; says whether there may be more. What is told again after such a time is
    taken for new."""
    gone = connection.execute(
        f"DELETE FROM told WHERE ctid = ANY(ARRAY(SELECT t.ctid FROM workspace w"  # noqa: S608  # our own words
        f" JOIN told t ON t.workspace = w.id AND t.at < {NOW} - %s LIMIT %s))",
        [KEPT, MOST],
    )
    return gone.rowcount == MOST

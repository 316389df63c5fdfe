"""SQL of what is told from outside: each thing means something once, however often it is told."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from kizuna.engine.append import Statement


async def known(conn: AsyncConnection[Any], workspace: int, told: list[bytes]) -> list[bytes]:
    """Which of them were told before."""
    found = await conn.execute("SELECT id FROM told WHERE workspace = %s AND id = ANY(%s::bytea[])", [workspace, told])
    return [bytes(row[0]) for row in await found.fetchall()]


def once(workspace: int, told: bytes, at: int) -> Statement:
    """The statement to run in the transaction that appends what follows: the second of them breaks it."""
    return "INSERT INTO told (workspace, id, at) VALUES (%s, %s, %s)", (workspace, told, at)

"""SQL of the brand voice."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from kizuna.voice.voice import KIND, Voice, read


async def row(conn: AsyncConnection[Any], workspace: int) -> tuple[int, dict[str, Any], int] | None:
    """(version, body, published_at) of what rules."""
    found = await conn.execute(
        "SELECT version, body, published_at FROM definition WHERE workspace = %s AND kind = %s AND name = %s"
        " AND retired IS NULL",
        [workspace, KIND, KIND],
    )
    return await found.fetchone()


async def current(conn: AsyncConnection[Any], workspace: int) -> Voice | None:
    found = await row(conn, workspace)
    return read(found[1]) if found else None

"""SQL of providers."""

from __future__ import annotations

from datetime import date
from typing import Any

from psycopg import AsyncConnection


async def current(conn: AsyncConnection[Any], workspace: int, name: str) -> dict[str, Any] | None:
    """The body of the provider as it was set last."""
    found = await conn.execute(
        "SELECT body FROM definition WHERE workspace = %s AND kind = 'provider' AND retired IS NULL AND name = %s",
        [workspace, name],
    )
    row = await found.fetchone()
    return row[0] if row else None


async def latest(conn: AsyncConnection[Any], workspace: int, kind: str) -> dict[str, Any] | None:
    """The body of the provider of a kind that was set last."""
    found = await conn.execute(
        "SELECT body FROM definition WHERE workspace = %s AND kind = 'provider' AND retired IS NULL"
        " AND body ->> 'kind' = %s ORDER BY introduced DESC LIMIT 1",
        [workspace, kind],
    )
    row = await found.fetchone()
    return row[0] if row else None


async def listed(conn: AsyncConnection[Any], workspace: int) -> list[tuple[str, dict[str, Any]]]:
    found = await conn.execute(
        "SELECT name, body FROM definition WHERE workspace = %s AND kind = 'provider' AND retired IS NULL"
        " ORDER BY name",
        [workspace],
    )
    return await found.fetchall()


async def carriers(conn: AsyncConnection[Any], workspace: int) -> dict[str, str]:
    """By channel the name of the provider that was set last."""
    found = await conn.execute(
        "SELECT DISTINCT ON (body ->> 'channel') body ->> 'channel', name FROM definition"
        " WHERE workspace = %s AND kind = 'provider' AND retired IS NULL"
        " ORDER BY body ->> 'channel', introduced DESC",
        [workspace],
    )
    return dict(await found.fetchall())


async def sent_on(conn: AsyncConnection[Any], workspace: int, name: str, day: date) -> dict[str, int]:
    """What was handed over on a local day, by the domains that are limited; `''` is all."""
    found = await conn.execute(
        "SELECT domain, count FROM sent_on WHERE workspace = %s AND provider = %s AND day = %s", [workspace, name, day]
    )
    return dict(await found.fetchall())

"""All SQL of journeys: drafts, what is published, counts."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb


class Published(Struct, frozen=True):
    """What rules under a journey's name."""

    version: int
    status: str
    body: dict[str, Any]
    published_at: int


async def keep_draft(conn: AsyncConnection[Any], workspace: int, name: str, body: dict[str, Any], at: int) -> None:
    await conn.execute(
        """INSERT INTO draft (workspace, kind, name, body, at) VALUES (%s, 'journey', %s, %s, %s)
           ON CONFLICT (workspace, kind, name) DO UPDATE SET body = excluded.body, at = excluded.at""",
        [workspace, name, Jsonb(body), at],
    )


async def draft(conn: AsyncConnection[Any], workspace: int, name: str) -> dict[str, Any] | None:
    found = await conn.execute(
        "SELECT body FROM draft WHERE workspace = %s AND kind = 'journey' AND name = %s", [workspace, name]
    )
    row = await found.fetchone()
    return row[0] if row else None


async def published(conn: AsyncConnection[Any], workspace: int, name: str) -> Published | None:
    found = await conn.execute(
        """SELECT version, status, body, published_at FROM definition
           WHERE workspace = %s AND kind = 'journey' AND name = %s AND retired IS NULL""",
        [workspace, name],
    )
    row = await found.fetchone()
    return Published(*row) if row else None


async def names(conn: AsyncConnection[Any], workspace: int, after: str, limit: int) -> list[str]:
    """Of all journeys, drafts too, in order."""
    found = await conn.execute(
        """SELECT name FROM definition WHERE workspace = %(workspace)s AND kind = 'journey' AND retired IS NULL
               AND name > %(after)s
           UNION SELECT name FROM draft WHERE workspace = %(workspace)s AND kind = 'journey' AND name > %(after)s
           ORDER BY name LIMIT %(limit)s""",
        {"workspace": workspace, "after": after, "limit": limit},
    )
    return [row[0] for row in await found.fetchall()]


async def counters(conn: AsyncConnection[Any], workspace: int, name: str) -> dict[str, int]:
    """The journey's counters by what they count, summed over the workers that counted."""
    prefix = f"journey:{name}:"
    found = await conn.execute(
        """SELECT substr(name, length(%(prefix)s) + 1), sum(value)::bigint FROM counter
           WHERE workspace = %(workspace)s AND starts_with(name, %(prefix)s) GROUP BY name ORDER BY name""",
        {"workspace": workspace, "prefix": prefix},
    )
    return dict(await found.fetchall())


async def segments(conn: AsyncConnection[Any], workspace: int) -> set[str]:
    """Names of the segments that rule."""
    found = await conn.execute(
        "SELECT name FROM definition WHERE workspace = %s AND kind = 'segment' AND retired IS NULL", [workspace]
    )
    return {row[0] for row in await found.fetchall()}


async def members(conn: AsyncConnection[Any], workspace: int, segment: str) -> list[bytes]:
    found = await conn.execute(
        "SELECT profile FROM membership WHERE workspace = %s AND segment = %s ORDER BY profile", [workspace, segment]
    )
    return [bytes(row[0]) for row in await found.fetchall()]

"""All SQL of campaigns: what is published, who is to be reached, what became of the messages."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from kizuna.messages.message import read_passed


async def current(conn: AsyncConnection[Any], workspace: int, name: str) -> tuple[Any, ...] | None:
    """(version, status, body, published_at) of what rules under this name."""
    found = await conn.execute(
        """SELECT version, status, body, published_at FROM definition
           WHERE workspace = %s AND kind = 'campaign' AND name = %s AND retired IS NULL""",
        [workspace, name],
    )
    return await found.fetchone()


async def listed(conn: AsyncConnection[Any], workspace: int, after: str, limit: int) -> list[tuple[Any, ...]]:
    found = await conn.execute(
        """SELECT name, version, status, body, published_at FROM definition
           WHERE workspace = %s AND kind = 'campaign' AND retired IS NULL AND name > %s ORDER BY name LIMIT %s""",
        [workspace, after, limit],
    )
    return await found.fetchall()


async def segment_exists(conn: AsyncConnection[Any], workspace: int, segment: str) -> bool:
    found = await conn.execute(
        """SELECT FROM definition WHERE workspace = %s AND kind = 'segment' AND name = %s AND retired IS NULL""",
        [workspace, segment],
    )
    return await found.fetchone() is not None


async def members(conn: AsyncConnection[Any], workspace: int, segment: str) -> list[bytes]:
    found = await conn.execute(
        "SELECT profile FROM membership WHERE workspace = %s AND segment = %s ORDER BY profile", [workspace, segment]
    )
    return [bytes(row[0]) for row in await found.fetchall()]


async def begin_launch(conn: AsyncConnection[Any], workspace: int, launch: bytes, name: str) -> tuple[int, int] | None:
    """None for a new launch; (members, position) of one that was made before. Waits for one under way."""
    begun = await conn.execute(
        """INSERT INTO launch (workspace, id, campaign, members, position) VALUES (%s, %s, %s, 0, 0)
           ON CONFLICT DO NOTHING""",
        [workspace, launch, name],
    )
    if begun.rowcount:
        return None
    found = await conn.execute(
        "SELECT members, position FROM launch WHERE workspace = %s AND id = %s", [workspace, launch]
    )
    return await found.fetchone()


async def end_launch(conn: AsyncConnection[Any], workspace: int, launch: bytes, members: int, position: int) -> None:
    await conn.execute(
        "UPDATE launch SET members = %s, position = %s WHERE workspace = %s AND id = %s",
        [members, position, workspace, launch],
    )


async def outcome(
    conn: AsyncConnection[Any], workspace: int, name: str
) -> list[tuple[str, str | None, str | None, int]]:
    """(state, reason, variant, count) of a campaign's messages."""
    found = await conn.execute(
        """SELECT state, reason, variant, count(*) FROM message WHERE workspace = %s AND campaign = %s
           GROUP BY state, reason, variant ORDER BY state, reason, variant""",
        [workspace, name],
    )
    return await found.fetchall()


async def reached(conn: AsyncConnection[Any], workspace: int, name: str) -> dict[str, int]:
    """How many messages ever were in each state, whatever came after."""
    found = await conn.execute(
        """SELECT entry & 31, count(DISTINCT id) FROM message, unnest(history) entry
           WHERE workspace = %s AND campaign = %s GROUP BY 1""",
        [workspace, name],
    )
    return {read_passed(row[0])[0]: row[1] for row in await found.fetchall()}

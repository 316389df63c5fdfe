"""SQL of promotions as the API reads and writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

Row = tuple[str, int, dict[str, Any], int]  # name, version, body, published_at
STATES = ("free", "reserved", "committed", "redeemed")
_ROW = "SELECT name, version, body, published_at FROM definition WHERE workspace = %s AND kind = 'promotion'"


async def listed(conn: AsyncConnection[Any], workspace: int, after: str, limit: int) -> list[Row]:
    found = await conn.execute(
        f"{_ROW} AND retired IS NULL AND name > %s ORDER BY name LIMIT %s",  # type: ignore[arg-type]  # our own words
        [workspace, after, limit],
    )
    return await found.fetchall()


async def current(conn: AsyncConnection[Any], workspace: int, name: str) -> Row | None:
    found = await conn.execute(f"{_ROW} AND retired IS NULL AND name = %s", [workspace, name])  # type: ignore[arg-type]  # our own words
    return await found.fetchone()


async def counts(conn: AsyncConnection[Any], workspace: int, name: str) -> dict[str, int]:
    """Codes by state."""
    found = await conn.execute(
        "SELECT state, count(*) FROM promotion_code WHERE workspace = %s AND promotion = %s GROUP BY state",
        [workspace, name],
    )
    return dict.fromkeys(STATES, 0) | dict(await found.fetchall())


async def hold_pool(conn: AsyncConnection[Any], workspace: int, name: str) -> int:
    """How many codes there are in all; others who add some wait until this transaction ends."""
    found = await conn.execute(
        "INSERT INTO promotion_pool (workspace, promotion, total) VALUES (%s, %s, 0)"
        " ON CONFLICT (workspace, promotion) DO UPDATE SET total = promotion_pool.total RETURNING total",
        [workspace, name],
    )
    row = await found.fetchone()
    return row[0] if row else 0


async def add(conn: AsyncConnection[Any], workspace: int, name: str, codes: Sequence[str]) -> int:
    """Put codes into a held pool; how many were new to it."""
    found = await conn.execute(
        "INSERT INTO promotion_code (workspace, promotion, code) SELECT %s, %s, * FROM unnest(%s::text[])"
        " ON CONFLICT DO NOTHING",
        [workspace, name, list(codes)],
    )
    await conn.execute(
        "UPDATE promotion_pool SET total = total + %s WHERE workspace = %s AND promotion = %s",
        [found.rowcount, workspace, name],
    )
    return found.rowcount


async def lock_code(
    conn: AsyncConnection[Any], workspace: int, code: str, promotion: str | None
) -> list[tuple[str, str, bytes | None, dict[str, Any] | None]]:
    """(promotion, state, profile, body of the promotion where it rules) of codes of this text; locked."""
    found = await conn.execute(
        "SELECT c.promotion, c.state, c.profile, (SELECT body FROM definition d WHERE d.workspace = c.workspace"
        " AND d.kind = 'promotion' AND d.name = c.promotion AND d.retired IS NULL)"
        " FROM promotion_code c WHERE c.workspace = %s AND c.code = %s AND (%s::text IS NULL OR c.promotion = %s)"
        " ORDER BY c.promotion FOR UPDATE OF c",
        [workspace, code, promotion, promotion],
    )
    return await found.fetchall()


async def redeem(
    conn: AsyncConnection[Any], workspace: int, promotion: str, code: str, profile: bytes | None, at: int
) -> None:
    await conn.execute(
        "UPDATE promotion_code SET state = 'redeemed', redeemed_at = %s, profile = coalesce(%s, profile)"
        " WHERE workspace = %s AND promotion = %s AND code = %s",
        [at, profile, workspace, promotion, code],
    )

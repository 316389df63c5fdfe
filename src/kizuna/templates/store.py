"""SQL of templates."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

Row = tuple[str, int, dict[str, Any], int]  # name, version, body, published_at


async def listed(conn: AsyncConnection[Any], workspace: int, after: str, limit: int) -> list[Row]:
    found = await conn.execute(
        "SELECT name, version, body, published_at FROM definition WHERE workspace = %s AND kind = 'template'"
        " AND retired IS NULL AND name > %s ORDER BY name LIMIT %s",
        [workspace, after, limit],
    )
    return await found.fetchall()


async def current(conn: AsyncConnection[Any], workspace: int, name: str) -> Row | None:
    found = await conn.execute(
        "SELECT name, version, body, published_at FROM definition WHERE workspace = %s AND kind = 'template'"
        " AND retired IS NULL AND name = %s",
        [workspace, name],
    )
    return await found.fetchone()


async def bodies(conn: AsyncConnection[Any], workspace: int) -> list[tuple[str, dict[str, Any]]]:
    """Every template that rules."""
    found = await conn.execute(
        "SELECT name, body FROM definition WHERE workspace = %s AND kind = 'template' AND retired IS NULL", [workspace]
    )
    return await found.fetchall()


async def named(conn: AsyncConnection[Any], workspace: int, names: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Name and body of those of `names` that rule."""
    found = await conn.execute(
        "SELECT name, body FROM definition WHERE workspace = %s AND kind = 'template' AND retired IS NULL"
        " AND name = ANY(%s::text[])",
        [workspace, names],
    )
    return await found.fetchall()


async def person(
    conn: AsyncConnection[Any], workspace: int, profile: bytes
) -> tuple[dict[str, Any], bytes | None, list[str]]:
    """Traits, profiles section and segments of a customer to preview with."""
    found = await conn.execute(
        "SELECT p.traits, p.profiles, ARRAY(SELECT segment FROM membership m WHERE m.workspace = p.workspace"
        " AND m.profile = p.id ORDER BY segment) FROM profile p WHERE p.workspace = %s AND p.id = %s",
        [workspace, profile],
    )
    return await found.fetchone() or ({}, None, [])

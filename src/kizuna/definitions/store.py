"""SQL of definitions as a whole: what rules now, what is drafted, whom a change would move."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.core import exact_json

Key = tuple[str, str]  # kind, name


class Ruling(Struct, frozen=True):
    """What rules under a name; `body` is what was published, exactly."""

    version: int
    status: str
    body: dict[str, Any]


async def hold(conn: AsyncConnection[Any], workspace: int) -> None:
    """Publishes of the workspace wait until this transaction ends."""
    await conn.execute("SELECT FROM workspace WHERE id = %s FOR UPDATE", [workspace])


async def ruling(conn: AsyncConnection[Any], workspace: int) -> dict[Key, Ruling]:
    found = await conn.execute(
        """SELECT kind, name, version, status, body::text FROM definition
           WHERE workspace = %s AND retired IS NULL ORDER BY kind, name""",
        [workspace],
    )
    return {
        (kind, name): Ruling(version, status, exact_json.decode(body.encode()))
        for kind, name, version, status, body in await found.fetchall()
    }


async def drafts(conn: AsyncConnection[Any], workspace: int) -> dict[Key, dict[str, Any]]:
    found = await conn.execute(
        "SELECT kind, name, body::text FROM draft WHERE workspace = %s ORDER BY kind, name", [workspace]
    )
    return {(kind, name): exact_json.decode(body.encode()) for kind, name, body in await found.fetchall()}


async def open_runs(conn: AsyncConnection[Any], workspace: int) -> dict[str, int]:
    """Runs under way by journey, on whatever version."""
    found = await conn.execute(
        """SELECT substr(name, 9, length(name) - 15), sum(value)::bigint FROM counter
           WHERE workspace = %s AND name LIKE 'journey:%%:active' GROUP BY name""",
        [workspace],
    )
    return dict(await found.fetchall())


# Questions to the lake; a rule is the SQL of its second reading.

MOVES = """
WITH old AS MATERIALIZED (SELECT profile FROM memberships WHERE segment = $segment), new AS MATERIALIZED ({rule})
SELECT (SELECT count(*) FROM new),
       (SELECT count(*) FROM new WHERE profile NOT IN (SELECT profile FROM old)),
       (SELECT count(*) FROM old WHERE profile NOT IN (SELECT profile FROM new))
"""
NOBODY = "SELECT profile FROM profiles WHERE false"
COUNT = "SELECT count(*) FROM ({rule})"

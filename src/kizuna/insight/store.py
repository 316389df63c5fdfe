"""What the overview asks PostgreSQL: figures of this moment."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection, Connection


class Live(Struct, frozen=True):
    """Counters of a workspace as they stand."""

    now: int
    grown: int  # changes with every row folded
    profiles: int
    counters: dict[str, int]
    messages: dict[str, int]


async def live(conn: AsyncConnection[Any], workspace: int) -> Live:
    cursor = await conn.execute(
        """SELECT CASE w.clock WHEN 'test' THEN w.now ELSE real_now() END,
                  (SELECT coalesce(sum("offset" + applied), 0)::bigint FROM log_head WHERE workspace = w.id),
                  (SELECT count(*) FROM profile WHERE workspace = w.id AND merged_into IS NULL)
           FROM workspace w WHERE w.id = %s""",
        [workspace],
    )
    now, grown, profiles = await cursor.fetchone() or (0, 0, 0)
    cursor = await conn.execute(
        """SELECT name, sum(value)::bigint FROM counter
           WHERE workspace = %s AND (name LIKE 'segment:%%' OR name LIKE 'journey:%%:active') GROUP BY name""",
        [workspace],
    )
    counters = dict(await cursor.fetchall())
    cursor = await conn.execute("SELECT state, count(*) FROM message WHERE workspace = %s GROUP BY state", [workspace])
    return Live(now, grown, profiles, counters, dict(await cursor.fetchall()))


def workspaces(connection: Connection[Any]) -> dict[str, int]:
    """Ids by name, oldest first."""
    return dict(connection.execute("SELECT name, id FROM workspace ORDER BY id").fetchall())


def draft(connection: Connection[Any], workspace: int, kind: str, name: str) -> dict[str, Any] | None:
    """What is stored under a name and not published."""
    row = connection.execute(
        "SELECT body FROM draft WHERE workspace = %s AND kind = %s AND name = %s", [workspace, kind, name]
    ).fetchone()
    return row[0] if row else None


# Of the lake: the instants of a campaign's launches.
LAUNCHES = """
SELECT DISTINCT logged_at FROM said WHERE type = 'launch' AND logged_at >= $since AND logged_at < $until
AND json_extract_string(properties, '$.campaign') = $name ORDER BY logged_at
"""


async def segment_rule(conn: AsyncConnection[Any], workspace: int, name: str) -> tuple[int, Any] | None:
    """Version and rule of a published segment."""
    cursor = await conn.execute(
        """SELECT version, body -> 'where' FROM definition
           WHERE workspace = %s AND kind = 'segment' AND name = %s AND retired IS NULL""",
        [workspace, name],
    )
    return await cursor.fetchone()

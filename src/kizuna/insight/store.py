"""What the overview asks PostgreSQL: figures of this moment."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection, Connection

from kizuna.insight.why.message import Ledger


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


# Of the lake: when each launch of a campaign was first said to somebody.
LAUNCHES = """
SELECT min(logged_at) FROM said WHERE type = 'launch' AND logged_at >= $since AND logged_at < $until
AND json_extract_string(properties, '$.campaign') = $name
GROUP BY json_extract_string(properties, '$.launch') ORDER BY 1
"""

# Of the lake: the last word about a run.
LEFT = """
SELECT timestamp, properties FROM events WHERE profile = $profile AND event = 'journey_exited'
AND json_extract_string(properties, '$.run') = $run ORDER BY timestamp DESC LIMIT 1
"""


async def ledger(conn: AsyncConnection[Any], workspace: int, message: bytes) -> Ledger | None:
    cursor = await conn.execute(
        """SELECT state, reason, channel, topic, transactional, journey, campaign, run, template, template_version,
                  address, planned_at, expires_at
           FROM message WHERE workspace = %s AND id = %s""",
        [workspace, message],
    )
    row = await cursor.fetchone()
    return Ledger(*row) if row else None


async def definition(
    conn: AsyncConnection[Any], workspace: int, kind: str, name: str, version: int | None
) -> tuple[int, dict[str, Any]] | None:
    """(version, body) of a version, or of what was published last."""
    cursor = await conn.execute(
        """SELECT version, body FROM definition WHERE workspace = %s AND kind = %s AND name = %s
           AND (%s::integer IS NULL OR version = %s) ORDER BY introduced DESC LIMIT 1""",
        [workspace, kind, name, version, version],
    )
    return await cursor.fetchone()


async def ruling(
    conn: AsyncConnection[Any], workspace: int, kind: str, name: str
) -> tuple[int, str, int, dict[str, Any]] | None:
    """(version, status, when that version was first published, body) of what rules under a name."""
    cursor = await conn.execute(
        """SELECT d.version, d.status, (SELECT min(e.published_at) FROM definition e
               WHERE (e.workspace, e.kind, e.name, e.version) = (d.workspace, d.kind, d.name, d.version)), d.body
           FROM definition d WHERE d.workspace = %s AND d.kind = %s AND d.name = %s AND d.retired IS NULL""",
        [workspace, kind, name],
    )
    return await cursor.fetchone()


async def segment_rule(conn: AsyncConnection[Any], workspace: int, name: str) -> tuple[int, Any] | None:
    """Version and rule of a published segment."""
    cursor = await conn.execute(
        """SELECT version, body -> 'where' FROM definition
           WHERE workspace = %s AND kind = 'segment' AND name = %s AND retired IS NULL""",
        [workspace, name],
    )
    return await cursor.fetchone()

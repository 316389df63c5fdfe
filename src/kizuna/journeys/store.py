"""All SQL of journeys: drafts, what is published, counts, runs."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

# Of the lake. A run keeps its id through joins of profiles; `events` names whom it belongs to now.
RUNS = """
WITH said AS (
    SELECT profile, event, timestamp, (logged_at, "offset", "index") AS place,
           json_extract(properties, '$.value') AS worth,
           json_extract_string(properties, ['$.run', '$.version', '$.key', '$.step', '$.reason', '$.holdout']) AS v
    FROM events
    WHERE type = 'fact' AND event IN ('journey_entered', 'journey_step', 'journey_exited', 'journey_goal')
    AND ($profile = '' OR profile = $profile) AND json_extract_string(properties, '$.journey') = $journey
), run AS (
    SELECT v[1] AS run, arg_max(profile, place) AS profile, arg_max(v[2], place) AS version,
           any_value(v[3]) FILTER (WHERE event = 'journey_entered') AS key,
           arg_max(v[4], place) FILTER (WHERE event IN ('journey_step', 'journey_exited') AND v[4] IS NOT NULL) AS step,
           min(timestamp) FILTER (WHERE event = 'journey_entered') AS entered_at,
           max(timestamp) FILTER (WHERE event = 'journey_exited') AS left_at,
           any_value(v[5]) FILTER (WHERE event = 'journey_exited') AS reason,
           coalesce(bool_or(v[6] = 'true'), false) AS holdout,
           min(timestamp) FILTER (WHERE event = 'journey_goal') AS goal_at,
           any_value(worth) FILTER (WHERE event = 'journey_goal') AS goal_value
    FROM said GROUP BY v[1]
), shown AS (
    SELECT *, CASE WHEN left_at IS NULL THEN 'active' WHEN reason = 'completed' THEN reason ELSE 'exited' END AS state
    FROM run WHERE entered_at IS NOT NULL
)
SELECT run, profile, version, key, step, state, entered_at, left_at, reason, holdout, goal_at, goal_value FROM shown
WHERE ($state = '' OR state = $state) AND (entered_at, run) < ($before, $run)
ORDER BY entered_at DESC, run DESC LIMIT $limit
"""


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


async def steps_ever(conn: AsyncConnection[Any], workspace: int, name: str) -> set[str]:
    """Ids of the steps of all versions published so far."""
    found = await conn.execute(
        """SELECT DISTINCT step ->> 'id' FROM definition, jsonb_array_elements(body -> 'steps') AS step
           WHERE workspace = %s AND kind = 'journey' AND name = %s""",
        [workspace, name],
    )
    return {row[0] for row in await found.fetchall()}


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


async def bandits(conn: AsyncConnection[Any], workspace: int, name: str) -> dict[str, dict[str, Any]]:
    """What rules the learning splits of a journey, by step."""
    found = await conn.execute(
        """SELECT body FROM definition WHERE workspace = %s AND kind = 'bandit' AND retired IS NULL
           AND starts_with(name, %s)""",
        [workspace, f"{name}:"],
    )
    return {row[0]["step"]: row[0] for row in await found.fetchall()}


async def learning(conn: AsyncConnection[Any]) -> list[tuple[int, str]]:
    """(workspace, name) of the active journeys with a learning split."""
    found = await conn.execute(
        """SELECT workspace, name FROM definition WHERE kind = 'journey' AND retired IS NULL AND status = 'active'
           AND jsonb_path_exists(body, '$.steps[*].bandit') ORDER BY workspace, name"""
    )
    return [(row[0], row[1]) for row in await found.fetchall()]


async def lock_bandits(conn: AsyncConnection[Any], workspace: int) -> None:
    """Until the transaction ends; whoever else works out weights waits."""
    await conn.execute("SELECT pg_advisory_xact_lock(1263754, %s)", [workspace])


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

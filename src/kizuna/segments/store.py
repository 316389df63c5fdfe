"""SQL of segments: memberships as the fold writes them, and what the routes read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection, Connection

from kizuna.runtime.lake.views import some_profiles
from kizuna.segments.section import MembershipChanged


def write_memberships(cursor: Any, workspace: int, effects: list[MembershipChanged]) -> None:
    """Of several changes in a batch the last one stands."""
    last = {(effect.segment, effect.profile): effect for effect in effects}
    entered = [each for each in last.values() if each.entered]
    left = [each for each in last.values() if not each.entered]
    if entered:
        cursor.execute(
            """INSERT INTO membership (workspace, segment, profile, entered_at)
               SELECT %s, * FROM unnest(%b::text[], %b::bytea[], %b::bigint[])
               ON CONFLICT (workspace, segment, profile) DO UPDATE SET entered_at = excluded.entered_at""",
            (workspace, [e.segment for e in entered], [e.profile for e in entered], [e.at for e in entered]),
        )
    if left:
        cursor.execute(
            """DELETE FROM membership AS m USING unnest(%b::text[], %b::bytea[]) AS gone (segment, profile)
               WHERE m.workspace = %s AND m.segment = gone.segment AND m.profile = gone.profile""",
            ([e.segment for e in left], [e.profile for e in left], workspace),
        )


# what doctor asks -----------------------------------------------------------------------------------------------------


class Asked(Struct, frozen=True):
    """A published rule as written, and where."""

    workspace: int
    zone: str
    name: str
    where: Any


_NOW = "CASE w.clock WHEN 'test' THEN w.now ELSE real_now() END"


def some_rules(connection: Connection[Any], limit: int) -> list[Asked]:
    """Rules whose every member is known: nothing waits to be folded, filled in or fired."""
    found = connection.execute(
        f"""SELECT w.id, w.zone, d.name, d.body -> 'where' FROM definition d JOIN workspace w ON w.id = d.workspace
            WHERE d.kind = 'segment' AND d.retired IS NULL AND d.body ? 'where'
            AND NOT EXISTS (SELECT FROM fill f WHERE f.workspace = w.id AND f.state = 'waiting')
            AND NOT EXISTS (SELECT FROM parked k WHERE k.workspace = w.id)
            AND NOT EXISTS (SELECT FROM log_head h WHERE h.workspace = w.id AND h.applied < h."offset"
                            AND h.at < {_NOW} - 2000000)
            AND (SELECT count(*) FROM (SELECT FROM profile p WHERE p.workspace = w.id LIMIT 100001) p) <= 100000
            ORDER BY random() LIMIT %s""",  # type: ignore[arg-type]  # noqa: S608  # our own words
        [limit],
    ).fetchall()
    return [Asked(*row) for row in found]


def now(connection: Connection[Any], workspace: int) -> int:
    row = connection.execute(
        f"SELECT {_NOW} FROM workspace w WHERE w.id = %s",  # type: ignore[arg-type]  # noqa: S608
        [workspace],
    ).fetchone()
    assert row  # noqa: S101
    return row[0]


def member_ids(connection: Connection[Any], workspace: int, segment: str) -> list[bytes]:
    found = connection.execute(
        "SELECT profile FROM membership WHERE workspace = %s AND segment = %s", [workspace, segment]
    )
    return [row[0] for row in found.fetchall()]


# folding again -------------------------------------------------------------------------------------------------------

Memberships = dict[tuple[str, bytes], int]  # (segment, profile) to the instant of entering


def all_memberships(cursor: Any, workspace: int) -> Memberships:
    cursor.execute("SELECT segment, profile, entered_at FROM membership WHERE workspace = %s", [workspace])
    return {(segment, profile): at for segment, profile, at in cursor.fetchall()}


def set_memberships(cursor: Any, workspace: int, members: Memberships) -> None:
    cursor.execute("DELETE FROM membership WHERE workspace = %s", [workspace])
    write_memberships(
        cursor, workspace, [MembershipChanged(who, name, True, at) for (name, who), at in members.items()]
    )


# what the routes read ------------------------------------------------------------------------------------------------


async def rules(conn: AsyncConnection[Any], workspace: int) -> dict[str, Any]:
    """The rule of every published segment, as written."""
    found = await conn.execute(
        """SELECT name, body -> 'where' FROM definition
           WHERE workspace = %s AND kind = 'segment' AND retired IS NULL ORDER BY name""",
        [workspace],
    )
    return dict(await found.fetchall())


async def shown(conn: AsyncConnection[Any], workspace: int, name: str, after: str, limit: int) -> list[tuple[Any, ...]]:
    """(name, body, version, size, filling) of one segment, or with no name of a page of all."""
    found = await conn.execute(
        """SELECT d.name, d.body, d.version,
                  (SELECT coalesce(sum(c.value), 0)::bigint FROM counter c
                   WHERE c.workspace = d.workspace AND c.name = 'segment:' || d.name),
                  EXISTS (SELECT FROM fill f WHERE f.workspace = d.workspace AND f.program = d.introduced
                          AND f.state = 'waiting')
           FROM definition d WHERE d.workspace = %(workspace)s AND d.kind = 'segment' AND d.retired IS NULL
           AND (%(name)s = '' AND d.name > %(after)s OR d.name = %(name)s) ORDER BY d.name LIMIT %(limit)s""",
        {"workspace": workspace, "name": name, "after": after, "limit": limit},
    )
    return await found.fetchall()


async def members(
    conn: AsyncConnection[Any], workspace: int, segment: str, after: bytes, limit: int
) -> list[tuple[bytes, int, bytes | None]]:
    """(profile, entered_at, its `profiles` section) in the order of ids."""
    found = await conn.execute(
        """SELECT m.profile, m.entered_at, p.profiles FROM membership m
           LEFT JOIN profile p ON p.workspace = m.workspace AND p.id = m.profile
           WHERE m.workspace = %s AND m.segment = %s AND m.profile > %s ORDER BY m.profile LIMIT %s""",
        [workspace, segment, after, limit],
    )
    return await found.fetchall()


# uploaded lists ------------------------------------------------------------------------------------------------------


async def current(conn: AsyncConnection[Any], workspace: int, name: str) -> dict[str, Any] | None:
    """The body of the published segment; publishes and uploads of a workspace go one by one from here on."""
    await conn.execute("SELECT FROM workspace WHERE id = %s FOR NO KEY UPDATE", [workspace])
    found = await conn.execute(
        """SELECT body FROM definition
           WHERE workspace = %s AND kind = 'segment' AND name = %s AND retired IS NULL""",
        [workspace, name],
    )
    row = await found.fetchone()
    return row[0] if row else None


async def replace_list(
    conn: AsyncConnection[Any], workspace: int, name: str, profiles: Iterable[bytes]
) -> tuple[list[bytes], list[bytes]]:
    """Make `profiles` the entries of a list; those added and those removed, in the order of ids."""
    asked = {"workspace": workspace, "list": name, "profiles": list(profiles)}
    gone = await conn.execute(
        """DELETE FROM segment_list WHERE workspace = %(workspace)s AND list = %(list)s
           AND profile <> ALL(%(profiles)s::bytea[]) RETURNING profile""",
        asked,
    )
    removed = sorted(bytes(row[0]) for row in await gone.fetchall())
    new = await conn.execute(
        """INSERT INTO segment_list (workspace, list, profile)
           SELECT %(workspace)s, %(list)s, unnest(%(profiles)s::bytea[]) ON CONFLICT DO NOTHING RETURNING profile""",
        asked,
    )
    return sorted(bytes(row[0]) for row in await new.fetchall()), removed


async def forget_list(conn: AsyncConnection[Any], workspace: int, name: str) -> None:
    await conn.execute("DELETE FROM segment_list WHERE workspace = %s AND list = %s", [workspace, name])


# what doctor compares ------------------------------------------------------------------------------------------------


def sections(connection: Connection[Any]) -> Iterator[tuple[int, bytes, bytes | None, dict[str, int]]]:
    """Every profile that has something of segments: (workspace, id, section, its rows as segment to entered_at)."""
    with connection.cursor(name="sections") as cursor:
        cursor.execute(
            """SELECT workspace, id, p.segments, m.rows FROM profile p FULL JOIN (
                   SELECT workspace, profile AS id, jsonb_object_agg(segment, entered_at) AS rows FROM membership
                   GROUP BY workspace, profile
               ) m USING (workspace, id) WHERE p.segments IS NOT NULL OR m.rows IS NOT NULL"""
        )
        for workspace, profile, section, rows in cursor:
            yield workspace, bytes(profile), bytes(section) if section else None, rows or {}


def preview(rule: str, sample: int) -> str:
    """Rows of (size, NULL, NULL), then (NULL, profile, traits)."""
    return f"""
    WITH found AS MATERIALIZED ({rule}),
    sample AS MATERIALIZED (SELECT profile FROM found ORDER BY profile LIMIT {sample})
    SELECT count(*) AS size, NULL AS profile, NULL AS traits FROM found
    UNION ALL SELECT NULL, profile, traits FROM ({some_profiles("SELECT profile FROM sample")})
    ORDER BY size NULLS LAST, profile
    """  # noqa: S608  # a compiled rule


ZONES = "SELECT DISTINCT zone FROM changes WHERE zone IS NOT NULL"  # also of times past: more is no harm

# sizes over time: `said` has facts under the id they were said to
_CHANGED = """said WHERE type = 'fact' AND event IN ('segment_entered', 'segment_left')
    AND json_extract_string(properties, '$.segment') = $name"""
FIRST_CHANGE = f"SELECT min(timestamp) FROM {_CHANGED}"  # noqa: S608  # this file's own text
FLOWS = f"""
SELECT coalesce(s.place, 0), count(*) FILTER (WHERE c.event = 'segment_entered'),
       count(*) FILTER (WHERE c.event = 'segment_left')
FROM (SELECT event, timestamp FROM {_CHANGED}) c
ASOF LEFT JOIN (SELECT unnest($starts::BIGINT[]) AS at, unnest(range(1, len($starts) + 1)) AS place) s
     ON c.timestamp >= s.at
WHERE c.timestamp < $end GROUP BY 1
"""  # noqa: S608
_JOINED = "(SELECT profile, merged_into FROM changes WHERE merged_into IS NOT NULL AND merged_into <> profile)"
MEMBERS_JOINED = f"""
SELECT profile, event = 'segment_entered', logged_at, "offset", "index" FROM {_CHANGED}
AND profile IN (SELECT profile FROM {_JOINED} UNION ALL SELECT merged_into FROM {_JOINED})
"""  # noqa: S608
JOINS = """
SELECT DISTINCT merged_into, profile, timestamp, logged_at, "offset", "index" FROM changes
WHERE merged_into IS NOT NULL AND merged_into <> profile AND $name <> ''
"""

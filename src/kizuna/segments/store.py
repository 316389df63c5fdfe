"""SQL of segments: memberships as the fold writes them, and what the routes read."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection, Connection

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


PREVIEW = """
WITH found AS MATERIALIZED ({rule}), size AS (SELECT count(*) AS size FROM found)
SELECT size, NULL AS profile FROM size
UNION ALL SELECT NULL, profile FROM (SELECT profile FROM found ORDER BY profile LIMIT {sample})
ORDER BY size NULLS LAST, profile
"""
TRAITS = "SELECT profile, traits FROM profiles WHERE profile IN ({sample}) ORDER BY profile"
ZONES = "SELECT DISTINCT zone FROM changes WHERE zone IS NOT NULL"  # also of times past: more is no harm

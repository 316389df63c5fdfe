"""SQL of segments: memberships as the fold writes them, and what the routes read."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

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

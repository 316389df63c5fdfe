"""All SQL of profiles seen from outside: look-ups, lists, and the record of one."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final, LiteralString

from psycopg import AsyncConnection

from kizuna.core import ids
from kizuna.core.errors import Invalid

_COLUMNS: Final = (
    "id, created_at, last_seen_at, merged_into, traits, profiles, consent, segments, journeys, campaigns, messages"
)

Row = tuple[Any, ...]

# Of the lake.
TIMELINE = """
SELECT id, type, event, properties, timestamp, received_at, caused_by, logged_at, "offset", "index" FROM events
WHERE profile = $profile AND (timestamp, logged_at, "offset", "index") < ($timestamp, $logged_at, $offset, $index)
ORDER BY timestamp DESC, logged_at DESC, "offset" DESC, "index" DESC LIMIT $limit
"""


async def row(conn: AsyncConnection[Any], workspace: int, profile: bytes) -> Row | None:
    found = await conn.execute(
        f"SELECT {_COLUMNS} FROM profile WHERE workspace = %s AND id = %s",  # noqa: S608  # a constant
        [workspace, profile],
    )
    return await found.fetchone()


async def survivor(conn: AsyncConnection[Any], workspace: int, profile: bytes) -> bytes | None:
    """The profile that this id names now, after merges; None when there is none."""
    for _ in range(100):
        found = await conn.execute(
            "SELECT merged_into FROM profile WHERE workspace = %s AND id = %s", [workspace, profile]
        )
        line = await found.fetchone()
        if line is None:
            return None
        if line[0] is None:
            return profile
        profile = bytes(line[0])
    return None


async def parked(conn: AsyncConnection[Any], workspace: int, profile: bytes) -> tuple[int, str] | None:
    """How many items are kept back of a profile, and the newest reason; None when none is."""
    found = await conn.execute(
        """SELECT count(*), (array_agg(error ORDER BY error LIKE 'queued behind%%', "offset" DESC, index DESC))[1]
           FROM parked WHERE workspace = %s AND profile = %s HAVING count(*) > 0""",
        [workspace, profile],
    )
    return await found.fetchone()


async def by_trait(
    conn: AsyncConnection[Any], workspace: int, kind: str, value: str, limit: int, after: bytes = b""
) -> list[bytes]:
    """Profiles by mail address (any case), phone number or LINE id, in the order of their ids."""
    conditions: dict[str, LiteralString] = {
        "email": "traits ? 'email' AND lower(left(traits ->> 'email', 320)) = lower(left(%(value)s, 320))"
        " AND lower(traits ->> 'email') = lower(%(value)s)",
        "phone": "traits ? 'phone' AND left(traits ->> 'phone', 320) = left(%(value)s, 320)"
        " AND traits ->> 'phone' = %(value)s",
        "line_id": "traits ? 'line_id' AND left(traits ->> 'line_id', 320) = left(%(value)s, 320)"
        " AND traits ->> 'line_id' = %(value)s",
    }  # the beginning finds the index
    found = await conn.execute(
        f"""SELECT id FROM profile WHERE workspace = %(workspace)s AND merged_into IS NULL
            AND id > %(after)s AND {conditions[kind]} ORDER BY id LIMIT %(limit)s""",  # noqa: S608
        {"workspace": workspace, "value": value, "limit": limit, "after": after},
    )
    return [bytes(line[0]) for line in await found.fetchall()]


async def by_phone_end(
    conn: AsyncConnection[Any], workspace: int, digits: str, limit: int, after: bytes = b""
) -> list[tuple[bytes, dict[str, Any]]]:
    """(profile, traits) of those whose phone number ends with these seven digits, in the order of their ids."""
    found = await conn.execute(
        "SELECT id, traits FROM profile WHERE workspace = %s AND merged_into IS NULL AND id > %s AND traits ? 'phone'"
        " AND right(regexp_replace(normalize(left(traits ->> 'phone', 64), NFKC), '[^0-9]', '', 'g'), 7) = %s"
        " ORDER BY id LIMIT %s",
        [workspace, after, digits, limit],
    )
    return [(bytes(profile), traits) for profile, traits in await found.fetchall()]


async def survivors(conn: AsyncConnection[Any], workspace: int, profiles: list[bytes]) -> dict[bytes, bytes]:
    """Of many ids, the profile that each names now; those that name none are left out."""
    found = await conn.execute(
        """WITH RECURSIVE walk AS (
               SELECT id AS asked, id, merged_into, 1 AS depth FROM profile WHERE workspace = %(workspace)s
               AND id = ANY(%(ids)s::bytea[])
               UNION ALL
               SELECT w.asked, p.id, p.merged_into, w.depth + 1 FROM walk w
               JOIN profile p ON p.workspace = %(workspace)s AND p.id = w.merged_into WHERE w.depth < 100
           ) SELECT asked, id FROM walk WHERE merged_into IS NULL""",
        {"workspace": workspace, "ids": profiles},
    )
    return {bytes(asked): bytes(living) for asked, living in await found.fetchall()}


async def by_traits(conn: AsyncConnection[Any], workspace: int, kind: str, values: list[str]) -> dict[str, list[bytes]]:
    """`by_trait` of many values: at most two profiles each, for two are one too many."""
    if not values:
        return {}
    joined: dict[str, LiteralString] = {
        "email": "p.traits ? 'email' AND lower(left(p.traits ->> 'email', 320)) = lower(left(v.value, 320))"
        " AND lower(p.traits ->> 'email') = lower(v.value)",
        "phone": "p.traits ? 'phone' AND left(p.traits ->> 'phone', 320) = left(v.value, 320)"
        " AND p.traits ->> 'phone' = v.value",
    }
    found = await conn.execute(
        f"""SELECT v.value, p.id FROM unnest(%(values)s::text[]) AS v (value) CROSS JOIN LATERAL (
                SELECT id FROM profile p WHERE workspace = %(workspace)s AND merged_into IS NULL
                AND {joined[kind]} ORDER BY id LIMIT 2
            ) p ORDER BY v.value, p.id""",  # noqa: S608  # constants
        {"workspace": workspace, "values": values},
    )
    profiles: dict[str, list[bytes]] = {}
    for value, profile in await found.fetchall():
        profiles.setdefault(value, []).append(bytes(profile))
    return profiles


async def page(
    conn: AsyncConnection[Any], workspace: int, search: str, segment: str, after: bytes, limit: int
) -> list[Row]:
    """Profiles in the order of their ids; `search` finds parts of name, mail and user id."""
    pattern = "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    found = await conn.execute(
        f"""SELECT {_COLUMNS} FROM profile p
            WHERE workspace = %(workspace)s AND merged_into IS NULL AND id > %(after)s
            AND (%(search)s = '' OR traits ->> 'name' ILIKE %(pattern)s OR traits ->> 'email' ILIKE %(pattern)s
                 OR traits ->> 'firstName' ILIKE %(pattern)s OR traits ->> 'lastName' ILIKE %(pattern)s
                 OR id = ANY(%(named)s::bytea[]))
            AND (%(segment)s = '' OR EXISTS (
                 SELECT FROM membership m WHERE m.workspace = p.workspace AND m.segment = %(segment)s
                 AND m.profile = p.id))
            ORDER BY id LIMIT %(limit)s""",  # noqa: S608
        {
            "workspace": workspace, "search": search, "pattern": pattern, "segment": segment, "after": after,
            "limit": limit, "named": _named(workspace, search),
        },
    )  # fmt: skip
    return await found.fetchall()


async def count(conn: AsyncConnection[Any], workspace: int) -> int:
    found = await conn.execute("SELECT count(*) FROM profile WHERE workspace = %s AND merged_into IS NULL", [workspace])
    line = await found.fetchone()
    return line[0] if line else 0


def _named(workspace: int, search: str) -> list[bytes]:
    named = [ids.profile_id(workspace, "user", search), ids.profile_id(workspace, "anon", search)]
    if search.startswith("prf_"):
        with suppress(Invalid):
            named.append(ids.read("prf", search))
    return named

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


async def by_trait(conn: AsyncConnection[Any], workspace: int, kind: str, value: str, limit: int) -> list[bytes]:
    """Profiles by mail address (any case) or phone number."""
    conditions: dict[str, LiteralString] = {
        "email": "traits ? 'email' AND lower(left(traits ->> 'email', 320)) = lower(left(%(value)s, 320))"
        " AND lower(traits ->> 'email') = lower(%(value)s)",
        "phone": "traits ? 'phone' AND left(traits ->> 'phone', 320) = left(%(value)s, 320)"
        " AND traits ->> 'phone' = %(value)s",
    }  # the beginning finds the index
    found = await conn.execute(
        f"""SELECT id FROM profile WHERE workspace = %(workspace)s AND merged_into IS NULL
            AND {conditions[kind]} ORDER BY id LIMIT %(limit)s""",  # noqa: S608
        {"workspace": workspace, "value": value, "limit": limit},
    )
    return [bytes(line[0]) for line in await found.fetchall()]


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

"""SQL of shelves: what lies in the shop's own pages for a customer, from the claim until it expires or is cleared."""

from __future__ import annotations

from typing import Any, Final, LiteralString

from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.engine.append import Statement
from kizuna.messages.message import Said
from kizuna.messages.sql_sending import NOT_PAUSED, NOW, columns, say

MOST_LYING = 100  # of one profile; the one placed longest ago makes room
MOST_SWEPT = 5_000  # at a time

_SAY = say(
    "state = 'sent', reason = NULL, provider = %(provider)s, lease_until = NULL, recipient = new.recipient",
    ("claimed", "handed", "sent"),
)
_PLACE = """
INSERT INTO shelf (workspace, message, profile, run, placed_at, expires_at, item)
SELECT m.workspace, m.id, coalesce(m.recipient, m.profile), m.run, coalesce(%(at)s::bigint, m.due_at), m.expires_at,
       new.item
FROM unnest(%(ids)b::bytea[], %(pages)b::bytea[]) AS new (id, item)
JOIN message m ON m.workspace = %(workspace)s AND m.id = new.id
ON CONFLICT (workspace, message) DO NOTHING
"""
_MAKE_ROOM = """
DELETE FROM shelf s USING (
    SELECT DISTINCT profile FROM shelf WHERE workspace = %(workspace)s AND message = ANY(%(ids)b::bytea[])
) grown
WHERE s.workspace = %(workspace)s AND s.profile = grown.profile AND s.placed_at < (
    SELECT o.placed_at FROM shelf o WHERE o.workspace = s.workspace AND o.profile = s.profile
    ORDER BY o.placed_at DESC OFFSET %(last)s LIMIT 1)
"""


def place(cursor: Any, workspace: int, said: list[Said], provider: str, at: int | None) -> None:
    """Lay down messages that this transaction claimed; `at` None: each at the instant it was due."""
    cursor.execute(_SAY, {"at": at, "provider": provider, **columns(workspace, said)})
    laid = {"ids": [each.id for each in said], "pages": [each.page or b"{}" for each in said]}
    cursor.execute(_PLACE, {"workspace": workspace, "at": at, **laid})
    cursor.execute(_MAKE_ROOM, {"workspace": workspace, "ids": laid["ids"], "last": MOST_LYING - 1})


def drop_of_runs(cursor: Any, workspace: int, runs: list[str]) -> None:
    """Of runs that left their journeys."""
    cursor.execute("DELETE FROM shelf WHERE workspace = %s AND run = ANY(%b::text[])", [workspace, runs])


def sweep(cursor: Any) -> None:
    """Clear away what expired by the clock of its workspace."""
    cursor.execute(
        "DELETE FROM shelf WHERE ctid = ANY(ARRAY(SELECT s.ctid FROM workspace w"  # noqa: S608
        f" JOIN shelf s ON s.workspace = w.id AND s.expires_at < {NOW} LIMIT {MOST_SWEPT}))"
    )


# reading -------------------------------------------------------------------------------------------------------------


class Reader(Struct, frozen=True):
    """A living record as of one moment, with all the records that were merged into it and opt-outs not folded yet."""

    profile: bytes
    known: bytes | None  # section `profiles`
    consent: bytes | None
    all_of_them: list[bytes]
    vetoes: list[list[str]]  # [channel, topic]
    traits: dict[str, Any]


# One statement is one moment: the fold removes a veto in the transaction that writes the record.
_READER = """
WITH RECURSIVE up (id, merged_into, depth) AS (
    SELECT id, merged_into, 0 FROM profile WHERE workspace = %(workspace)s AND id = %(profile)s
    UNION ALL
    SELECT p.id, p.merged_into, up.depth + 1 FROM up JOIN profile p
    ON p.workspace = %(workspace)s AND p.id = up.merged_into WHERE up.depth < 100
), down (id) AS (
    SELECT id FROM up WHERE merged_into IS NULL
    UNION
    SELECT p.id FROM down JOIN profile p ON p.workspace = %(workspace)s AND p.merged_into = down.id
)
SELECT p.id, p.profiles, p.consent, ARRAY(SELECT id FROM down),
       ARRAY(SELECT ARRAY[v.channel, v.topic] FROM veto v
             WHERE v.workspace = %(workspace)s AND v.profile IN (SELECT id FROM down)), p.traits
FROM up JOIN profile p ON p.workspace = %(workspace)s AND p.id = up.id WHERE up.merged_into IS NULL
"""


async def reader(conn: AsyncConnection[Any], workspace: int, profile: bytes) -> Reader | None:
    """Of the record that this id names now; None where there is none."""
    found = await conn.execute(_READER, {"workspace": workspace, "profile": profile})
    row = await found.fetchone()
    return Reader(*row) if row else None


class Lying(Struct, frozen=True):
    """A message that was laid on a shelf; fields in the order in which they are read."""

    id: bytes
    profile: bytes
    channel: str
    title: str | None
    html: str
    item: bytes | None  # None: it was cleared away
    placed_at: int
    expires_at: int
    delivered_at: int | None
    seen_at: int | None
    read_at: int | None
    transactional: bool
    template: str
    journey: str | None
    run: str | None
    step: str | None
    campaign: str | None
    variant: str | None
    topic: str | None
    is_paused: bool  # all that its campaign, journey or channel says is held back at present


_LYING = (
    "m.id, coalesce(m.recipient, m.profile), m.channel, m.subject, coalesce(m.body, ''), s.item,"
    " coalesce(s.placed_at, m.due_at), m.expires_at, s.delivered_at, s.seen_at, s.read_at, m.transactional, m.template,"
    f" m.journey, m.run, m.step, m.campaign, m.variant, m.topic, NOT ({NOT_PAUSED})"
)


async def lying(conn: AsyncConnection[Any], workspace: int, profiles: list[bytes], now: int) -> list[Lying]:
    """What lies ready for a customer, by any of their records; newest first."""
    found = await conn.execute(
        f"SELECT {_LYING} FROM shelf s JOIN message m ON m.workspace = s.workspace AND m.id = s.message"  # noqa: S608
        " WHERE s.workspace = %(workspace)s AND s.profile = ANY(%(profiles)s::bytea[]) AND s.expires_at >= %(now)s"
        " ORDER BY s.placed_at DESC, s.message LIMIT %(most)s",  # type: ignore[arg-type]
        {"workspace": workspace, "profiles": profiles, "now": now, "most": MOST_LYING},
    )
    return [Lying(*row) for row in await found.fetchall()]


async def placed(conn: AsyncConnection[Any], workspace: int, messages: list[bytes]) -> list[Lying]:
    """Messages by id that were laid on a shelf, those cleared away since too."""
    found = await conn.execute(
        f"SELECT {_LYING} FROM message m LEFT JOIN shelf s ON s.workspace = m.workspace AND s.message = m.id"  # noqa: S608
        " WHERE m.workspace = %(workspace)s AND m.id = ANY(%(messages)s::bytea[])",  # type: ignore[arg-type]
        {"workspace": workspace, "messages": messages},
    )
    return [Lying(*row) for row in await found.fetchall()]


# what a browser did --------------------------------------------------------------------------------------------------


DELIVERED, SEEN, READ = "delivered", "seen", "read"
_MARK: Final[dict[str, LiteralString]] = {
    what: f"UPDATE shelf SET {what}_at = coalesce({what}_at, %s) WHERE workspace = %s AND message = %s"  # noqa: S608
    for what in (DELIVERED, SEEN, READ)
}


def mark(workspace: int, message: bytes, what: str, at: int) -> Statement:
    """The first time stays."""
    return _MARK[what], (at, workspace, message)


def clear(workspace: int, message: bytes) -> Statement:
    return "DELETE FROM shelf WHERE workspace = %s AND message = %s", (workspace, message)

"""SQL of consent: vetoes that every claim reads, and suppressed addresses."""

from __future__ import annotations

from typing import Any, LiteralString

from msgspec import Struct
from psycopg import AsyncConnection


class DropVeto(Struct, frozen=True):
    """The fold has applied the item that a veto row stood in for (on whichever record it ended up)."""

    item: str


class Suppress(Struct, frozen=True):
    """Never write to this address again, whoever has it."""

    channel: str
    address: str
    reason: str
    at: int


def drop_vetoes(cursor: Any, workspace: int, effects: list[Any]) -> None:
    cursor.execute(
        "DELETE FROM veto WHERE workspace = %s AND id = ANY(%s::text[])", (workspace, [e.item for e in effects])
    )


def suppress(cursor: Any, workspace: int, effects: list[Any]) -> None:
    cursor.execute(
        "INSERT INTO suppression (workspace, channel, address, reason, at)"
        " SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[]) ON CONFLICT DO NOTHING",
        (
            workspace,
            [e.channel for e in effects],
            [e.address for e in effects],
            [e.reason for e in effects],
            [e.at for e in effects],
        ),
    )


def veto(workspace: int, profile: bytes, item: str, channel: str, topic: str) -> tuple[LiteralString, tuple[Any, ...]]:
    """The statement to run in the transaction that appends an opt-out."""
    return (
        "INSERT INTO veto (workspace, profile, id, channel, topic) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (workspace, profile, item, channel, topic),
    )


def vetoes(
    workspace: int, profiles: list[bytes], items: list[str], channel: str, topic: str
) -> tuple[LiteralString, tuple[Any, ...]]:
    """As `veto` for many at once."""
    return (
        "INSERT INTO veto (workspace, profile, id, channel, topic)"
        " SELECT %s, profile, id, %s, %s FROM unnest(%s::bytea[], %s::text[]) AS new (profile, id)"
        " ON CONFLICT DO NOTHING",
        (workspace, channel, topic, profiles, items),
    )


async def open_vetoes(conn: AsyncConnection[Any], workspace: int, profile: bytes) -> set[tuple[str, str]]:
    """(channel, topic) of opt-outs accepted and not yet folded."""
    found = await conn.execute(
        "SELECT channel, topic FROM veto WHERE workspace = %s AND profile = %s", [workspace, profile]
    )
    return set(await found.fetchall())


async def section(conn: AsyncConnection[Any], workspace: int, profile: bytes) -> bytes | None:
    found = await conn.execute("SELECT consent FROM profile WHERE workspace = %s AND id = %s", [workspace, profile])
    row = await found.fetchone()
    return row[0] if row else None


async def section_of_identity(conn: AsyncConnection[Any], workspace: int, profiles: list[bytes]) -> list[bytes]:
    """How these customers are known, as their records keep it; who has no record is left out."""
    found = await conn.execute(
        "SELECT profiles FROM profile WHERE workspace = %s AND id = ANY(%b::bytea[]) AND profiles IS NOT NULL",
        [workspace, profiles],
    )
    return [row[0] for row in await found.fetchall()]


async def is_on_the_way(conn: AsyncConnection[Any], workspace: int, profiles: list[bytes], channel: str) -> bool:
    """Whether marketing on a channel was handed over for one of these records and has not come to its end. A claim
    that is not committed yet is waited for."""
    found = await conn.execute(
        "WITH open AS MATERIALIZED ("
        " SELECT m.lease_until FROM message m WHERE m.workspace = %s AND m.profile = ANY(%b::bytea[])"
        " AND m.channel = %s AND NOT m.transactional"
        " AND (m.state IN ('planned', 'claimed', 'handed') OR m.lease_until IS NOT NULL)"  # reports come early
        " FOR KEY SHARE"
        ") SELECT EXISTS (SELECT FROM open WHERE lease_until > real_now())",
        [workspace, profiles, channel],
    )
    row = await found.fetchone()
    return row is not None and row[0]

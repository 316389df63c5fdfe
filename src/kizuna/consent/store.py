"""SQL of consent: vetoes that every claim reads, suppressed addresses, and the proofs of what was said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.consent.proof import KeepProof


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


def vetoes(workspace: int, said: Sequence[tuple[bytes, str, str, str | None]]) -> tuple[LiteralString, tuple[Any, ...]]:
    """The statement to run in the transaction that appends opt-outs: (profile, item, channel, topic) of each."""
    return (
        "INSERT INTO veto (workspace, profile, id, channel, topic)"
        " SELECT %s, * FROM unnest(%s::bytea[], %s::text[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING",
        (workspace, *([each[place] or "" for each in said] for place in range(4))),
    )


async def vetoes_among(
    conn: AsyncConnection[Any], workspace: int, profiles: list[bytes]
) -> set[tuple[bytes, str, str]]:
    """As `open_vetoes` of many: (profile, channel, topic)."""
    found = await conn.execute(
        "SELECT profile, channel, topic FROM veto WHERE workspace = %s AND profile = ANY(%b::bytea[])",
        [workspace, profiles],
    )
    return set(await found.fetchall())


async def sections(conn: AsyncConnection[Any], workspace: int, profiles: list[bytes]) -> dict[bytes, bytes]:
    """As `section` of many, of those who have one."""
    found = await conn.execute(
        "SELECT id, consent FROM profile WHERE workspace = %s AND id = ANY(%b::bytea[]) AND consent IS NOT NULL",
        [workspace, profiles],
    )
    return dict(await found.fetchall())


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


async def suppressions(
    conn: AsyncConnection[Any], workspace: int, channel: str, search: str, before: tuple[int, str, str], limit: int
) -> list[tuple[str, str, str, int]]:
    """(channel, address, reason, at), newest first, of addresses that hold a text; an empty `channel` is all."""
    found = await conn.execute(
        "SELECT channel, address, reason, at FROM suppression WHERE workspace = %(workspace)s"
        " AND (%(channel)s = '' OR channel = %(channel)s) AND position(%(search)s IN address) > 0"
        " AND (at, channel, address) < (%(at)s, %(of)s, %(address)s)"
        " ORDER BY at DESC, channel DESC, address DESC LIMIT %(limit)s",
        {
            "workspace": workspace, "channel": channel, "search": search.lower(), "limit": limit,
            "at": before[0], "of": before[1], "address": before[2],
        },
    )  # fmt: skip
    return await found.fetchall()


# proofs --------------------------------------------------------------------------------------------------------------

_PROOF = {
    "id": "bytea", "profile": "bytea", "channel": "text", "topic": "text", "state": "text", "source": "text",
    "proof": "text", "basis": "text", "at": "bigint", "known_at": "bigint", "until": "bigint", "item": "text",
}  # fmt: skip
_KEEP = (
    f"INSERT INTO consent_proof (workspace, {', '.join(_PROOF)})"  # noqa: S608  # our own column names
    " SELECT %s, id, profile, channel, topic, state, source, proof::jsonb, basis, at, known_at, until, item"
    f" FROM unnest({', '.join(f'%b::{kind}[]' for kind in _PROOF.values())}) AS new ({', '.join(_PROOF)})"
    " ON CONFLICT DO NOTHING"
)


def keep_proofs(cursor: Any, workspace: int, effects: list[KeepProof]) -> None:
    cursor.execute(_KEEP, [workspace, *([getattr(each, name) for each in effects] for name in _PROOF)])


_SHOWN = "id, channel, topic, state, source, proof, basis, at, known_at, until"


async def proof(conn: AsyncConnection[Any], workspace: int, named: bytes) -> tuple[Any, ...] | None:
    """As a row of `proofs_of`."""
    found = await conn.execute(
        f"SELECT {_SHOWN} FROM consent_proof WHERE workspace = %s AND id = %s",  # noqa: S608
        [workspace, named],
    )
    return await found.fetchone()


async def proofs_of(
    conn: AsyncConnection[Any], workspace: int, profiles: list[bytes], limit: int
) -> list[tuple[Any, ...]]:
    """(id, channel, topic, state, source, proof, basis, at, known_at, until) of these records, newest act first."""
    found = await conn.execute(
        f"SELECT {_SHOWN} FROM consent_proof"  # noqa: S608
        " WHERE workspace = %s AND profile = ANY(%b::bytea[]) ORDER BY at DESC, known_at DESC, id LIMIT %s",
        [workspace, profiles, limit],
    )
    return await found.fetchall()


async def with_merged(conn: AsyncConnection[Any], workspace: int, profiles: list[bytes]) -> list[bytes]:
    """These records and all that were joined to them, at whatever remove."""
    found = await conn.execute(
        "WITH RECURSIVE joined (id) AS (SELECT unnest(%(profiles)b::bytea[]) UNION"
        " SELECT p.id FROM profile p JOIN joined j ON p.merged_into = j.id WHERE p.workspace = %(workspace)s)"
        " SELECT id FROM joined",
        {"profiles": profiles, "workspace": workspace},
    )
    return [row[0] for row in await found.fetchall()]


async def policy(conn: AsyncConnection[Any], workspace: int) -> dict[str, Any]:
    """What the policy that rules says, as written; empty where there is none."""
    found = await conn.execute(
        "SELECT body FROM definition WHERE workspace = %s AND kind = 'policy' AND name = 'policy' AND retired IS NULL",
        [workspace],
    )
    row = await found.fetchone()
    return row[0] if row else {}

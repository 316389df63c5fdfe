"""SQL of replies: who has a number, and that each reply means something once."""

from __future__ import annotations

from typing import Any, LiteralString

from psycopg import AsyncConnection

MOST_PEOPLE = 20  # that share a number
_NAMES = ("profile", "id", "template", "journey", "run", "step", "campaign", "variant")


async def written_to(conn: AsyncConnection[Any], workspace: int, address: str) -> list[dict[str, Any]]:
    """The latest message to each who was written to at this number."""
    found = await conn.execute(
        "SELECT DISTINCT ON (coalesce(recipient, profile)) coalesce(recipient, profile), id, template, journey, run,"
        " step, campaign, variant FROM message WHERE workspace = %s AND channel = 'sms' AND address = %s"
        " AND state <> ALL('{planned,claimed,skipped,expired}')"
        " ORDER BY coalesce(recipient, profile), due_at DESC LIMIT %s",
        [workspace, address, MOST_PEOPLE],
    )
    return [dict(zip(_NAMES, row, strict=True)) for row in await found.fetchall()]


async def traits_of(conn: AsyncConnection[Any], workspace: int, profiles: list[bytes]) -> dict[bytes, dict[str, Any]]:
    found = await conn.execute(
        "SELECT id, traits FROM profile WHERE workspace = %s AND id = ANY(%s::bytea[])", [workspace, profiles]
    )
    return {bytes(profile): traits for profile, traits in await found.fetchall()}


def once(workspace: int, reply: bytes, at: int) -> tuple[LiteralString, tuple[Any, ...]]:
    """The statement to run in the transaction that appends it: the second of a reply breaks it."""
    return "INSERT INTO mail_report (workspace, id, at) VALUES (%s, %s, %s)", (workspace, reply, at)


async def is_known(conn: AsyncConnection[Any], workspace: int, reply: bytes) -> bool:
    found = await conn.execute("SELECT FROM mail_report WHERE workspace = %s AND id = %s", [workspace, reply])
    return await found.fetchone() is not None

"""SQL of what customers did at a channel: who has a number, and what they answered."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from kizuna.core import ids

MOST_PEOPLE = 20  # that share a number
_NAMES = ("profile", "id", "template", "journey", "run", "step", "campaign", "variant")


async def written_to(
    conn: AsyncConnection[Any], workspace: int, address: str, limit: int = MOST_PEOPLE, after: bytes = b""
) -> list[dict[str, Any]]:
    """The latest message to each who was written to at this number, in the order of their ids."""
    found = await conn.execute(
        "SELECT DISTINCT ON (coalesce(recipient, profile)) coalesce(recipient, profile), id, template, journey, run,"
        " step, campaign, variant FROM message WHERE workspace = %s AND channel = 'sms' AND address = %s"
        " AND state <> ALL('{planned,claimed,skipped,expired}') AND coalesce(recipient, profile) > %s"
        " ORDER BY coalesce(recipient, profile), due_at DESC LIMIT %s",
        [workspace, address, after, limit],
    )
    return [dict(zip(_NAMES, row, strict=True)) for row in await found.fetchall()]


async def traits_of(conn: AsyncConnection[Any], workspace: int, profiles: list[bytes]) -> dict[bytes, dict[str, Any]]:
    found = await conn.execute(
        "SELECT id, traits FROM profile WHERE workspace = %s AND id = ANY(%s::bytea[])", [workspace, profiles]
    )
    return {bytes(profile): traits for profile, traits in await found.fetchall()}


async def answered(
    conn: AsyncConnection[Any], workspace: int, profile: bytes, channel: str, provider: str, since: int
) -> dict[str, Any]:
    """What is said of the newest message that somebody who writes to us may be answering; empty where there is none."""
    names = ("template", "journey", "run", "step", "campaign", "variant", "topic")
    found = await conn.execute(
        f"SELECT id, {', '.join(names)} FROM message WHERE workspace = %s AND profile = %s"  # type: ignore[arg-type]  # noqa: S608
        " AND channel = %s AND provider = %s AND planned_at >= %s AND state = ANY(%s)"
        " ORDER BY planned_at DESC, id LIMIT 1",
        [workspace, profile, channel, provider, since, ["sent", "delivered", "opened", "clicked"]],
    )
    row = await found.fetchone()
    if row is None:
        return {}
    return {"message": ids.show("msg", row[0])} | {
        name: value for name, value in zip(names, row[1:], strict=True) if value
    }

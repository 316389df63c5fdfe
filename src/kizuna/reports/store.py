"""SQL of reports: whom they are about, and that each means something once."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

# a mail that never left cannot have come back
_LEFT = (
    "handed",
    "sent",
    "unknown",
    "rejected",
    "delivered",
    "opened",
    "clicked",
    "bounced",
    "unsubscribed",
    "complained",
)


class Sent(Struct, frozen=True):
    """A mail of ours that a report may be about; fields in the order in which `sent` reads them."""

    message: bytes
    profile: bytes
    channel: str
    address: str
    template: str | None
    journey: str | None
    run: str | None
    step: str | None
    campaign: str | None
    variant: str | None
    topic: str | None


async def sent(conn: AsyncConnection[Any], workspace: int, messages: list[bytes]) -> Sent | None:
    """The first of them that this workspace mailed."""
    found = await conn.execute(
        "SELECT id, coalesce(recipient, profile), channel, address, template, journey, run, step, campaign, variant,"
        " topic FROM message WHERE workspace = %s AND id = ANY(%s::bytea[]) AND channel = 'email' AND address IS NOT"
        " NULL AND state = ANY(%s) ORDER BY array_position(%s::bytea[], id) LIMIT 1",
        [workspace, messages, list(_LEFT), messages],
    )
    row = await found.fetchone()
    return Sent(*row) if row else None


async def is_read(conn: AsyncConnection[Any], workspace: int, profiles: list[bytes], address: str, since: int) -> bool:
    """Whether a mail of ours to this address, planned since then, was opened or clicked by one of these."""
    found = await conn.execute(
        "SELECT EXISTS (SELECT FROM message WHERE workspace = %s AND profile = ANY(%s::bytea[]) AND channel = 'email'"
        " AND lower(address) = lower(%s) AND planned_at >= %s AND state IN ('opened', 'clicked'))",
        [workspace, profiles, address, since],
    )
    row = await found.fetchone()
    return row is not None and row[0]

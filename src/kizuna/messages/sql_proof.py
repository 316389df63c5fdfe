"""SQL of what allowed messages: each that was sent, with the act of consent that was in force when it was claimed."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

SENT = ["sent", "delivered", "opened", "clicked", "bounced", "unsubscribed", "complained", "handed", "unknown"]
_WHERE = (
    "m.workspace = %(workspace)s AND m.state = ANY(%(sent)s) AND m.channel <> 'webhook'"
    " AND (%(campaign)s::text IS NULL OR m.campaign = %(campaign)s)"
    " AND (%(journey)s::text IS NULL OR m.journey = %(journey)s)"
)


async def summary(conn: AsyncConnection[Any], asked: dict[str, Any]) -> list[tuple[str | None, int, int]]:
    """(what allowed it, messages, those with their proof) over all that was sent."""
    found = await conn.execute(
        "SELECT m.consent, count(*), count(p.id) FROM message m"  # noqa: S608  # our own texts
        " LEFT JOIN consent_proof p ON p.workspace = m.workspace AND p.id = m.proof"
        f" WHERE {_WHERE} GROUP BY 1 ORDER BY 1",
        {**asked, "sent": SENT},
    )
    return await found.fetchall()


async def listed(conn: AsyncConnection[Any], asked: dict[str, Any], after: bytes, limit: int) -> list[tuple[Any, ...]]:
    """(message, profile, address, consent) and the proof as `consent.store.proofs_of` has it, by the message's id."""
    found = await conn.execute(
        "SELECT m.id, m.profile, m.address, m.consent, p.id, p.channel, p.topic, p.state, p.source, p.proof, p.basis,"  # noqa: S608
        " p.at, p.known_at, p.until FROM message m"
        " LEFT JOIN consent_proof p ON p.workspace = m.workspace AND p.id = m.proof"
        f" WHERE {_WHERE} AND m.id > %(after)b ORDER BY m.id LIMIT %(limit)s",
        {**asked, "sent": SENT, "after": after, "limit": limit},
    )
    return await found.fetchall()

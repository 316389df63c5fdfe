"""HTTP of proofs: over many messages at once, what allowed each of them."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import get
from litestar.params import Parameter

from kizuna.accounts.caller import Caller
from kizuna.consent.show import show_proof
from kizuna.core import ids
from kizuna.messages import sql_proof
from kizuna.runtime.database import Database

Limit = Annotated[int, Parameter(ge=1, le=1000)]


@get("/api/v1/consent/proofs")
async def list_proofs(
    caller: Caller,
    database: Database,
    campaign: str | None = None,
    journey: str | None = None,
    limit: Limit = 100,
    cursor: str = "",
) -> dict[str, Any]:
    """Each message that was sent with the act that allowed it, and how many have one: `by_consent` counts all."""
    asked = {"workspace": caller.workspace.id, "campaign": campaign, "journey": journey}
    after = ids.read("msg", cursor) if cursor else b""
    async with database.connection() as conn:
        sums = await sql_proof.summary(conn, asked)
        rows = await sql_proof.listed(conn, asked, after, limit)
    return {
        "by_consent": [{"state": state, "messages": count, "proven": proven} for state, count, proven in sums],
        "items": [_shown(row) for row in rows],
        "next_cursor": ids.show("msg", rows[-1][0]) if len(rows) == limit else None,
    }


def _shown(row: tuple[Any, ...]) -> dict[str, Any]:
    message, profile, address, state, *proof = row
    return {
        "message": ids.show("msg", message), "profile": ids.show("prf", profile), "address": address, "state": state,
        "proof": show_proof(tuple(proof)) if proof[0] is not None else None,
    }  # fmt: skip


ROUTES = [list_proofs]

"""The one-time link by which the first owner comes in."""

from __future__ import annotations

from kizuna.accounts import store
from kizuna.accounts.secrets import token_hash
from kizuna.core import ids
from kizuna.runtime.database import Database


async def issue_setup_token(database: Database) -> str | None:
    """A new one-time token for the set-up link, the only one that works; None once there is an owner."""
    async with database.connection() as conn:
        if await store.has_owner(conn):
            return None
        token = ids.secret("setup")
        await store.set_setup_hash(conn, token_hash(token))
        return token

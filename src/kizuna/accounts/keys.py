"""Keys of a workspace: make one, list them, take one back, and know whose key came with a request."""

from __future__ import annotations

import secrets
import time
from typing import Any

from psycopg import AsyncConnection

from kizuna.accounts import store
from kizuna.accounts.caller import Caller
from kizuna.accounts.rights import ROLES
from kizuna.accounts.secrets import token_hash
from kizuna.core import clock, ids
from kizuna.core.errors import FieldError, Invalid, NotFound, NotSignedIn
from kizuna.runtime.database import Database

# A key taken back in another process may work this much longer; ingest does not ask the database for every request.
REMEMBERED_SECONDS = 2.0
_REMEMBERED_KEYS = 10_000


async def create(database: Database, workspace_id: int, role: str) -> dict[str, str]:
    """`{id, key, role}`; the key is shown this once."""
    async with database.connection() as conn:
        return await insert(conn, workspace_id, role)


async def insert(conn: AsyncConnection[Any], workspace_id: int, role: str) -> dict[str, str]:
    """As `create`, within the caller's transaction."""
    if role not in ROLES:
        message = f"one of {', '.join(ROLES)}"
        raise Invalid(
            f"{role!r} is no role", code="invalid_role", errors=[FieldError("/role", "invalid_role", message)]
        )
    key = ids.secret("wk" if role == "ingest" else "key")
    key_id = ids.show("kid", secrets.token_bytes(ids.ID_BYTES))
    await store.insert_key(conn, workspace_id, key_id, token_hash(key), role)
    return {"id": key_id, "key": key, "role": role}


async def listed(database: Database, workspace_id: int, after: str, limit: int) -> list[dict[str, str]]:
    async with database.connection() as conn:
        rows = await store.keys(conn, workspace_id, after, limit)
    return [{"id": key_id, "role": role, "created_at": clock.show(at)} for key_id, role, at in rows]


class KeyRing:
    """Answers whose key this is; what it learned it remembers for `REMEMBERED_SECONDS`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[bytes, tuple[float, Caller]] = {}

    async def caller(self, key: str) -> Caller:
        """Raises `NotSignedIn` for a key that is unknown or was taken back."""
        key_hash = token_hash(key)
        known = self._known.get(key_hash)
        if known and known[0] > time.monotonic():
            return known[1]
        async with self._database.connection() as conn:
            holder = await store.key_holder(conn, key_hash)
            workspace = await store.workspace(conn, holder[0]) if holder else None
        if holder is None or workspace is None:
            self._known.pop(key_hash, None)
            raise NotSignedIn("this key is unknown or was taken back", code="invalid_key")
        caller = Caller(workspace=workspace, role=holder[1])
        if len(self._known) >= _REMEMBERED_KEYS:
            self._known.clear()
        self._known[key_hash] = (time.monotonic() + REMEMBERED_SECONDS, caller)
        return caller

    async def revoke(self, workspace_id: int, key_id: str) -> None:
        async with self._database.connection() as conn:
            key_hash = await store.revoke_key(conn, workspace_id, key_id)
        if key_hash is None:
            raise NotFound(f"no key {key_id!r} in this workspace")
        self._known.pop(key_hash, None)

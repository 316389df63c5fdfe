"""Let a parked profile go on: what was kept back is folded in its order, each item at its own instant."""

from __future__ import annotations

import secrets
from typing import Any

from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.core import ids
from kizuna.core.errors import Conflict, NotFound
from kizuna.engine.moment import RESUME, Item
from kizuna.events import settled
from kizuna.events.log import Log
from kizuna.profiles import store
from kizuna.profiles.find import find, named
from kizuna.runtime.database import Database


async def resume(database: Database, log: Log, workspace: int, ref: str) -> tuple[bytes, int, int]:
    """The profile, how many items were folded, and the position; raises `Conflict` when it cannot be folded still."""
    async with database.connection() as conn:
        profile = await _parked_one(conn, workspace, ref)
        waiting = await store.parked(conn, workspace, profile)
        now = await accounts.now(conn, workspace)
    if waiting is None:
        raise Conflict(f"nothing is parked of {ref!r}", code="not_parked")
    asked = Item(profile, ids.show("evt", secrets.token_bytes(16)), RESUME, timestamp=now, received_at=now)
    position = await log.append(workspace, [asked])
    await settled.wait(database, workspace, position)
    async with database.connection() as conn:
        still = await store.parked(conn, workspace, profile)
    if still is not None:
        raise Conflict(f"{ref!r} still cannot be folded and stays parked: {still[1]}", code="still_parked")
    return profile, waiting[0], position


async def _parked_one(conn: AsyncConnection[Any], workspace: int, ref: str) -> bytes:
    """Items are parked under the id they were said to, of which there may be no record yet."""
    if not ref.startswith(("email:", "phone:")):
        asked = named(workspace, ref)
        if await store.parked(conn, workspace, asked) is not None:
            return asked
    try:
        return await find(conn, workspace, ref)
    except NotFound:
        raise NotFound(f"nothing is parked of {ref!r}, and there is no such profile") from None

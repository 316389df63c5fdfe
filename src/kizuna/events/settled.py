"""Read your writes: wait until a position and all that follows from it is applied."""

from __future__ import annotations

import asyncio
import time

from kizuna.core.errors import NotSettled
from kizuna.events import store
from kizuna.runtime.database import Database

FIRST_LOOK, SLOWEST_LOOK = 0.002, 0.015


async def wait(database: Database, workspace: int, position: int, seconds: float = 5.0) -> None:
    """Return once nothing that follows from writes up to `position` is open; raises `NotSettled` after `seconds`."""
    deadline = time.monotonic() + seconds
    pause = FIRST_LOOK
    while not await _is_settled(database, workspace, position):
        if time.monotonic() >= deadline:
            raise NotSettled(f"not settled after {seconds:g} s; ask again, or with a longer `wait`")
        await asyncio.sleep(pause)
        pause = min(pause * 1.3, SLOWEST_LOOK)


async def _is_settled(database: Database, workspace: int, position: int) -> bool:
    """One look, with a connection of its own: those who wait long must not hold back those who write."""
    async with database.connection() as conn:
        return await store.is_settled(conn, workspace, position)

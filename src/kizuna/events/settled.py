"""Read your writes: wait until a position and all that follows from it is applied."""

from __future__ import annotations

import asyncio
import time

from kizuna.core.errors import NotSettled
from kizuna.events import store
from kizuna.runtime.database import Database

FIRST_LOOK, SLOWEST_LOOK = 0.002, 0.05


async def wait(database: Database, workspace: int, position: int, seconds: float = 5.0) -> None:
    """Return once nothing that follows from writes up to `position` is open; raises `NotSettled` after `seconds`."""
    deadline = time.monotonic() + seconds
    pause = FIRST_LOOK
    async with database.connection() as conn:
        await conn.set_autocommit(True)
        try:
            while not await store.is_settled(conn, workspace, position):
                if time.monotonic() >= deadline:
                    raise NotSettled(f"not settled after {seconds:g} s; ask again, or with a longer `wait`")
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, SLOWEST_LOOK)
        finally:
            await conn.set_autocommit(False)

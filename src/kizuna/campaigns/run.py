"""Whatever campaigns have to do by themselves: hand out launches, judge harm."""

from __future__ import annotations

import asyncio
from typing import Any

from psycopg import Connection

from kizuna.campaigns import store
from kizuna.campaigns.hand_out import step
from kizuna.campaigns.watch import watch
from kizuna.engine.program import Programs
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake


def run_next(connection: Connection[Any], lake: Lake, programs: Programs, url: str) -> tuple[bool, float | None]:
    """Do what can be done now; says whether anything was, and in how many seconds there may be more (None: when told).

    A crash repeats it, which changes nothing.
    """
    if store.is_harm_unjudged(connection):
        connection.commit()
        asyncio.run(_watch(url))
    connection.commit()
    has_moved, next_in = step(connection, lake, programs)
    return has_moved, None if next_in is None else next_in / 1e6


async def _watch(url: str) -> None:
    database = Database(url, largest=1, name="kizuna guard")
    await database.open()
    try:
        async with database.connection() as conn:
            await watch(conn)
    finally:
        await database.close()

"""An opt-out is answered when nothing that was claimed before it is still on its way.

A claim locks its messages and looks for vetoes after that. So of a claim and an opt-out one sees the other: a claim
that looked before the opt-out was committed holds its locks by then, and the opt-out, which asks for them after its
commit, waits for it; any other claim sees the veto. What the opt-out finds handed over is let come to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from kizuna.consent import store
from kizuna.runtime.database import Database

LOOK = 0.02  # seconds between looks
PATIENCE = 5.0  # seconds: the opt-out is in force, only a message at a provider that does not answer is left


async def outlast(
    database: Database, workspace: int, profiles: Sequence[bytes], channel: str, patience: float = PATIENCE
) -> bool:
    """Wait for what was claimed for these customers before this moment; False: some of it is still at its provider.

    To be called after the commit of the opt-out, and before it is answered.
    """
    try:
        async with asyncio.timeout(patience):
            async with database.connection() as conn:
                records = await store.with_merged(conn, workspace, list(profiles))  # one was planned for any of them
            while await _is_on_the_way(database, workspace, records, channel):
                await asyncio.sleep(LOOK)
    except TimeoutError:
        return False
    return True


async def _is_on_the_way(database: Database, workspace: int, records: list[bytes], channel: str) -> bool:
    async with database.connection() as conn:
        return await store.is_on_the_way(conn, workspace, records, channel)

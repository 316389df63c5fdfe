"""The test clock: it stands still until told, and what falls due on the way happens at its own instant."""

from __future__ import annotations

from kizuna.accounts import store as accounts
from kizuna.core import clock
from kizuna.core.errors import Conflict, Unprocessable
from kizuna.engine.append import TICK, Row, append_rows
from kizuna.engine.slice import Workspace
from kizuna.events import settled, store
from kizuna.runtime.database import Database

LONGEST = 600.0  # seconds an advance may take


async def advance(database: Database, workspace: Workspace, to: int) -> int:
    """Move the clock to `to`; the position, once all is settled. Raises `Unprocessable` when it would go back."""
    if workspace.clock != "test":
        raise Conflict("this workspace has a live clock; make one with --clock test", code="live_clock")
    async with database.connection() as conn:
        position = await store.last_position(conn)
    await settled.wait(database, workspace.id, position, LONGEST)  # nothing may be overtaken by its own future
    while (stop := await _next_launch(database, workspace, to)) is not None:
        await _move(database, workspace, stop)  # who is to be reached is judged at that instant
    return await _move(database, workspace, to)


async def _next_launch(database: Database, workspace: Workspace, to: int) -> int | None:
    async with database.connection() as conn:
        return await store.next_launch(conn, workspace.id, to)


async def _move(database: Database, workspace: Workspace, to: int) -> int:
    async with database.connection() as conn:
        if not await store.set_clock(conn, workspace.id, to):
            now = await accounts.now(conn, workspace.id)
            raise Unprocessable(f"the clock stands at {clock.show(now)} and never goes back", code="clock_goes_back")
        rows = [Row(partition, TICK, 0, b"", b"") for partition in range(workspace.partitions)]
        lock, append = append_rows(workspace.id, rows)
        await conn.execute(*lock)
        found = await (await conn.execute(*append)).fetchall()
        await conn.execute("NOTIFY kizuna_log")
        await conn.execute("NOTIFY kizuna_launch")
    await settled.wait(database, workspace.id, found[0][2], LONGEST)
    return found[0][2]

"""An import waits while the engine is behind: its log stays short, and live events are not refused because of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kizuna.accounts import workspaces
from kizuna.imports import map as maps
from kizuna.imports.look import look
from kizuna.imports.run import PAUSE, ROWS, WAITING, Order, run
from kizuna.imports.store import Import
from kizuna.runtime.database import Database

MAP = {"kind": "events", "columns": {"Customer": "userId"}, "constants": {"event": "Order Completed"}}


def test_it_goes_on_when_the_engine_has_caught_up(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kizuna.events.pressure.LOOK_EVERY", 0.0)  # so that it knows the latest
    path = tmp_path / "orders.csv"
    path.write_text("Customer\n" + "".join(f"c{number}\n" for number in range(4 * ROWS)))

    async def within() -> None:
        database = Database(database_url, name="test")
        await database.open()
        try:
            async with asyncio.timeout(60):
                await watch(database, path)
        finally:
            await database.close()

    asyncio.run(within())


async def watch(database: Database, path: Path) -> None:
    await workspaces.create(database, "shop")
    workspace = await workspaces.find(database, "shop")
    rejects = path.with_suffix(".rejected")
    order = Order(workspace, look(path), path.name, maps.parse(MAP), MAP, rejects, most_behind=ROWS)
    has_two = asyncio.Event()
    told: list[int] = []
    waited: list[int] = []

    def tell(at: Import) -> None:
        (waited if at.state == WAITING else told).append(at.rows)
        if at.rows == 2 * ROWS:
            has_two.set()

    importing = asyncio.create_task(run(database, order, tell))
    await has_two.wait()
    await asyncio.wait([importing], timeout=4 * PAUSE)
    assert (told, {*waited}, importing.done()) == (
        [ROWS, 2 * ROWS],
        {2 * ROWS},
        False,
    )  # one piece may wait, and then one more was said
    async with database.connection() as conn:
        await conn.execute('UPDATE log_head SET applied = "offset"')
    done = await importing
    assert (done.state, done.rows, done.taken) == ("finished", 4 * ROWS, 4 * ROWS)

"""Those who wait for a position share one look and one connection, and each is told as soon as its own is settled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest

from kizuna.core.errors import NotSettled
from kizuna.events import settled
from kizuna.runtime.database import Database
from kizuna.testing.tenant import an_item, append, make_workspace


def waiting(url: str, run: Callable[[Database], Awaitable[None]]) -> None:
    """Runs with a pool so small that two who held a connection would stop all others."""

    async def within() -> None:
        database = Database(url, largest=2)
        await database.open()
        try:
            async with asyncio.timeout(30):
                await run(database)
        finally:
            await database.close()

    asyncio.run(within())


def test_each_is_told_when_its_own_position_is_settled(database_url: str, connection: psycopg.Connection[Any]) -> None:
    workspace = make_workspace(connection)
    first, second = (append(connection, workspace, [an_item(workspace, name, user="ada")]) for name in ("one", "two"))

    async def run(database: Database) -> None:
        early = [asyncio.create_task(settled.wait(database, workspace, first, 30)) for _ in range(20)]
        late = [asyncio.create_task(settled.wait(database, workspace, second, 30)) for _ in range(20)]
        await apply(database, workspace, 1)
        await asyncio.gather(*early)
        assert not any(task.done() for task in late)
        await apply(database, workspace, 2)
        await asyncio.gather(*late)
        await settled.wait(database, workspace, second, 0)  # and again, with nobody else there

    waiting(database_url, run)


def test_an_impatient_one_has_looked_once(database_url: str, connection: psycopg.Connection[Any]) -> None:
    workspace = make_workspace(connection)
    position = append(connection, workspace, [an_item(workspace, "one", user="ada")])

    async def run(database: Database) -> None:
        await settled.wait(database, workspace, position - 1, 0)
        with pytest.raises(NotSettled):
            await settled.wait(database, workspace, position, 0)
        patient = asyncio.create_task(settled.wait(database, workspace, position, 30))
        with pytest.raises(NotSettled):
            await settled.wait(database, workspace, position, 0.01)
        await apply(database, workspace, 1)
        await patient

    waiting(database_url, run)


def test_a_look_that_fails_is_said_to_all(database_url: str, connection: psycopg.Connection[Any]) -> None:
    workspace = make_workspace(connection)
    position = append(connection, workspace, [an_item(workspace, "one", user="ada")])

    async def run(database: Database) -> None:
        await say(database, "ALTER TABLE fill RENAME TO away")
        waits = [settled.wait(database, workspace, position, 30) for _ in range(3)]
        found = await asyncio.gather(*waits, return_exceptions=True)
        assert [type(error) for error in found] == [psycopg.errors.UndefinedTable] * 3
        await say(database, "ALTER TABLE away RENAME TO fill")
        await apply(database, workspace, 1)
        await settled.wait(database, workspace, position, 30)

    waiting(database_url, run)


async def apply(database: Database, workspace: int, offset: int) -> None:
    await say(database, 'UPDATE log_head SET applied = %s WHERE workspace = %s AND "offset" > 0', offset, workspace)


async def say(database: Database, statement: str, *parameters: Any) -> None:
    async with database.connection() as conn:
        await conn.execute(statement, parameters)  # type: ignore[arg-type]

"""What connections promise: bytes for bytea, exact numbers in JSON, a pool that outlives a broken connection."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from kizuna.core.errors import Unavailable
from kizuna.runtime.database import Database, connect, in_one_go


def test_bytea_comes_back_as_bytes(connection: psycopg.Connection[Any]) -> None:
    raw = bytes(range(256)) * 300
    row = connection.execute("SELECT %s::bytea, ARRAY[%s::bytea], now()", [raw, raw]).fetchone()
    assert row is not None
    assert type(row[0]) is bytes
    assert row[0] == raw
    assert type(row[1][0]) is bytes
    assert row[2].utcoffset().total_seconds() == 0


def test_decimals_go_into_json_as_numbers(connection: psycopg.Connection[Any]) -> None:
    value = {"total": Decimal("12.50"), "名": ["x", None]}
    row = connection.execute("SELECT %s, %s::jsonb ->> 'total'", [Jsonb(value), Jsonb(value)]).fetchone()
    assert row == ({"total": 12.5, "名": ["x", None]}, "12.50")


def test_a_database_that_is_not_there_is_one_line() -> None:
    with pytest.raises(Unavailable, match="the database does not answer") as caught:
        connect("postgresql://kizuna@/kizuna?host=/nowhere")
    assert "\n" not in str(caught.value)


def test_what_goes_in_one_go_is_committed_before_listeners_hear_of_it(database_url: str) -> None:
    with connect(database_url, autocommit=True) as own, connect(database_url, autocommit=True) as ear:
        own.execute("CREATE TABLE gone (word text)")
        ear.execute("LISTEN heard")
        told: list[str] = []
        with in_one_go(own, told) as cursor:
            cursor.execute("INSERT INTO gone VALUES ('first') RETURNING word")
            assert cursor.fetchall() == [("first",)]
            cursor.execute("INSERT INTO gone VALUES ('second')")
            assert ear.execute("SELECT count(*) FROM gone").fetchone() == (0,)
            told.append("heard")
        assert [each.channel for each in ear.notifies(timeout=10, stop_after=1)] == ["heard"]
        assert ear.execute("SELECT count(*) FROM gone").fetchone() == (2,)


@pytest.mark.parametrize("after", range(3))
def test_what_goes_wrong_in_one_go_is_raised_as_it_was_and_undoes_all(database_url: str, after: int) -> None:
    with connect(database_url, autocommit=True) as own, connect(database_url, autocommit=True) as ear:
        own.execute("CREATE TABLE gone (word text PRIMARY KEY)")
        ear.execute("LISTEN heard")
        with pytest.raises(psycopg.errors.UniqueViolation), in_one_go(own, ["heard"]) as cursor:
            cursor.execute("INSERT INTO gone VALUES ('once')")
            cursor.execute("INSERT INTO gone VALUES ('once')")
            for number in range(after):
                cursor.execute("INSERT INTO gone VALUES (%s)", [str(number)])
        with pytest.raises(ZeroDivisionError), in_one_go(own, ["heard"]) as cursor:
            cursor.execute("INSERT INTO gone VALUES ('never')")
            raise ZeroDivisionError
        assert own.execute("SELECT count(*) FROM gone").fetchone() == (0,)
        assert list(ear.notifies(timeout=0)) == []
        with in_one_go(own) as cursor:
            cursor.execute("INSERT INTO gone VALUES ('again')")
        assert ear.execute("SELECT word FROM gone").fetchall() == [("again",)]


def test_the_pool_commits_rolls_back_and_survives_broken_connections(database_url: str) -> None:
    async def run() -> list[Any]:
        database = Database(database_url, largest=2)
        await database.open()
        try:
            async with database.connection() as conn:
                await conn.execute("CREATE TABLE kept (word bytea)")
            with pytest.raises(ZeroDivisionError):
                async with database.connection() as conn:
                    await conn.execute("INSERT INTO kept VALUES ('rolled back')")
                    raise ZeroDivisionError
            with connect(database_url, autocommit=True) as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            async with database.connection() as conn:
                await conn.execute("INSERT INTO kept VALUES ('kept')")
            async with database.connection() as conn:
                return await (await conn.execute("SELECT word FROM kept")).fetchall()
        finally:
            await database.close()

    assert asyncio.run(run()) == [(b"kept",)]


def test_a_line_keeps_its_connection_and_takes_another_when_that_has_ended(database_url: str) -> None:
    async def run() -> None:
        database = Database(database_url, largest=2)
        await database.open()
        line = database.line()

        async def backend() -> int:
            async with line.connection() as conn:
                row = await (await conn.execute("SELECT pg_backend_pid()")).fetchone()
                assert row
                return row[0]

        try:
            first = await backend()
            assert await backend() == first
            with connect(database_url, autocommit=True) as other:  # returns when the backend is gone
                other.execute("SELECT pg_terminate_backend(%s, 10000)", [first])
            second = await backend()
            assert second != first
            with pytest.raises(ZeroDivisionError):
                async with line.connection() as conn:
                    await conn.execute("CREATE TABLE dropped ()")
                    raise ZeroDivisionError
            async with line.connection() as conn:
                assert await (await conn.execute("SELECT to_regclass('dropped')")).fetchone() == (None,)
        finally:
            await database.close()

    asyncio.run(run())


def test_a_line_that_commits_by_itself_gives_back_an_ordinary_connection(database_url: str) -> None:
    async def run() -> None:
        database = Database(database_url, largest=1)
        await database.open()
        try:
            line = database.line(autocommit=True)
            async with line.connection() as conn:
                assert conn.autocommit
            await line.hang_up()
            async with database.connection() as conn:
                assert not conn.autocommit
        finally:
            await database.close()

    asyncio.run(run())

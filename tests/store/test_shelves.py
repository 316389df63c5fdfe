"""Shelves on real PostgreSQL: laid in the transaction that says it, bounded, swept, cleared, found through merges."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from kizuna.core.clock import HOUR
from kizuna.engine.moment import Item
from kizuna.engine.slice import Workspace
from kizuna.messages import sql_sending, sql_shelf, store
from kizuna.messages.deliver import deliver_local
from kizuna.messages.desk import Desk
from kizuna.messages.message import CancelPlanned
from kizuna.messages.sql_shelf import MOST_LYING, Lying
from kizuna.runtime.database import Database, connect
from kizuna.testing.mail import plan, put_definition, put_profile, state_of
from kizuna.testing.tenant import PARTITIONS, make_workspace

Connection = psycopg.Connection[Any]
CARD = {"channel": "card", "subject": "Hi", "body": "<p>Hello</p>", "format": "liquid+html"}


@pytest.fixture
def desk() -> Desk:
    return Desk(PARTITIONS, [b"secret"], "https://kizuna.example")


@pytest.fixture
def shop(connection: Connection) -> Workspace:
    workspace = make_workspace(connection)
    put_definition(connection, workspace, "template", "hello", CARD)
    return Workspace(workspace, "shop", "live", "UTC", "JPY", "opt_out", PARTITIONS)


def deliver(connection: Connection, desk: Desk, shop: Workspace) -> int:
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        now = sql_sending.now(cursor, shop.id)
    return deliver_local(connection, desk, shop, [("card", False)], now, 500, {"card": "site"})


def rows(connection: Connection, column: str = "message") -> list[Any]:
    found = connection.execute(f"SELECT {column} FROM shelf ORDER BY placed_at, message").fetchall()  # type: ignore[arg-type]
    connection.commit()
    return [row[0] for row in found]


def lying(url: str, shop: Workspace, profile: bytes) -> list[Lying]:
    async def ask() -> list[Lying]:
        database = Database(url)
        await database.open()
        try:
            async with database.connection() as conn:
                reader = await sql_shelf.reader(conn, shop.id, profile)
                return await sql_shelf.lying(conn, shop.id, reader.all_of_them, 0) if reader else []
        finally:
            await database.close()

    return asyncio.run(ask())


def test_what_is_said_lies_there_and_is_no_mail(connection: Connection, desk: Desk, shop: Workspace) -> None:
    ada = put_profile(connection, shop.id, "ada")
    message = plan(connection, shop.id, ada, channel="card")
    wrong = plan(connection, shop.id, ada, channel="card", template="gone")
    assert deliver(connection, desk, shop) == 2
    assert state_of(connection, message) == ("sent", None)
    assert state_of(connection, wrong) == ("skipped", "template_error")
    assert rows(connection) == [message]
    assert connection.execute("SELECT count(*) FROM outbox").fetchone() == (0,)
    assert connection.execute("SELECT DISTINCT provider FROM message WHERE state = 'sent'").fetchone() == ("site",)


def test_a_shelf_is_bounded_and_the_oldest_make_room(connection: Connection, desk: Desk, shop: Workspace) -> None:
    ada, grace = (put_profile(connection, shop.id, who) for who in ("ada", "grace"))
    kept = plan(connection, shop.id, grace, channel="card")
    first = plan(connection, shop.id, ada, channel="card")
    deliver(connection, desk, shop)
    later = {plan(connection, shop.id, ada, channel="card") for _ in range(MOST_LYING)}
    deliver(connection, desk, shop)
    assert set(rows(connection)) == {kept, *later}
    assert state_of(connection, first) == ("sent", None)


def test_what_expired_is_swept_by_the_clock_of_its_workspace(
    connection: Connection, desk: Desk, shop: Workspace
) -> None:
    other = make_workspace(connection, "still", now=HOUR)
    ada = put_profile(connection, shop.id, "ada")
    stays = plan(connection, shop.id, ada, channel="card")
    goes = plan(connection, shop.id, ada, channel="card")
    deliver(connection, desk, shop)
    connection.execute("UPDATE shelf SET expires_at = 5 WHERE message = %s", [goes])
    for message, expires_at in ((b"a" * 16, HOUR), (b"b" * 16, HOUR - 1)):
        connection.execute(
            "INSERT INTO shelf (workspace, message, profile, placed_at, expires_at, item)"
            " VALUES (%s, %s, %s, 0, %s, '')",
            [other, message, ada, expires_at],
        )
    sql_shelf.sweep(connection)
    assert set(rows(connection)) == {stays, b"a" * 16}


def test_a_shelf_is_found_through_merges_and_gone_with_its_record(
    connection: Connection, desk: Desk, shop: Workspace, database_url: str
) -> None:
    ada, visitor, older = (put_profile(connection, shop.id, who) for who in ("ada", "visitor", "older"))
    message = plan(connection, shop.id, older, channel="card")
    deliver(connection, desk, shop)
    for merged, into in ((older, visitor), (visitor, ada)):
        connection.execute("UPDATE profile SET merged_into = %s WHERE id = %s", [into, merged])
    connection.commit()
    for name in (older, visitor, ada):
        assert [each.id for each in lying(database_url, shop, name)] == [message]
    connection.execute("UPDATE profile SET merged_into = NULL WHERE id = %s", [visitor])
    connection.commit()
    assert lying(database_url, shop, ada) == []
    assert [each.id for each in lying(database_url, shop, visitor)] == [message]
    connection.execute("DELETE FROM profile WHERE id = ANY(%s::bytea[])", [[visitor, older]])
    connection.commit()
    assert lying(database_url, shop, older) == []


def test_a_run_that_leaves_while_its_message_is_laid_down_clears_it(
    connection: Connection, shop: Workspace, database_url: str
) -> None:
    ada = put_profile(connection, shop.id, "ada")
    message = plan(connection, shop.id, ada, channel="card", journey="greet", run="r1")

    def leave() -> None:
        with connect(database_url) as worker, worker.cursor(binary=True) as cursor:
            store.cancel(cursor, shop.id, [CancelPlanned(ada, "r1", 5)])  # waits for the claim

    leaving = threading.Thread(target=leave)

    class Interrupted(Desk):
        def append(self, cursor: Any, workspace: int, items: Sequence[Item], root: int) -> None:
            leaving.start()
            _until_somebody_waits(database_url)
            super().append(cursor, workspace, items, root)

    deliver(connection, Interrupted(PARTITIONS, [b"secret"], "https://kizuna.example"), shop)
    leaving.join()
    assert state_of(connection, message) == ("sent", None)
    assert rows(connection) == []


def _until_somebody_waits(url: str) -> None:
    with connect(url, autocommit=True) as watcher:
        while not watcher.execute(
            "SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname ="
            " current_database()"
        ).fetchone():
            pass

"""Of an opt-out and a claim that meet, one sees the other: each order, made to happen."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kizuna.consent import store
from kizuna.consent.choose import Choice, choose
from kizuna.consent.decide import OPTED_OUT
from kizuna.consent.obey import ObeyingLog
from kizuna.consent.outlast import outlast
from kizuna.core import ids
from kizuna.engine.slice import Workspace
from kizuna.events.log import Log
from kizuna.events.wires.segment import Reader
from kizuna.imports import map as maps
from kizuna.imports.look import look
from kizuna.imports.run import Order, run
from kizuna.messages import sql_sending
from kizuna.messages.message import Ending, Said
from kizuna.runtime.database import Database, connect
from kizuna.testing.mail import plan, put_profile
from kizuna.testing.tenant import PARTITIONS, make_workspace

Connection = psycopg.Connection[Any]
NEVER_LATER = 1 << 60


class Interrupted:
    """A cursor, and what happens between its first statement and its second."""

    def __init__(self, cursor: Any, meanwhile: Callable[[], None]) -> None:
        self.cursor, self.meanwhile, self.times = cursor, meanwhile, 0

    def execute(self, *statement: Any) -> None:
        self.times += 1
        if self.times == 2:
            self.meanwhile()
        self.cursor.execute(*statement)

    def fetchall(self) -> list[Any]:
        return self.cursor.fetchall()


@pytest.fixture
def shop(connection: Connection) -> int:
    return make_workspace(connection)


def test_a_claim_sees_what_was_accepted_before_it_looked(connection: Connection, shop: int, database_url: str) -> None:
    ada = put_profile(connection, shop, "ada")
    plan(connection, shop, ada)

    def opt_out() -> None:
        with connect(database_url) as other:
            other.execute(*store.vetoes(shop, [(ada, "evt_1", "email", "")]))

    with connection.cursor(binary=True) as cursor:
        (claim,) = sql_sending.claim(Interrupted(cursor, opt_out), shop, "email", NEVER_LATER, 10)
        assert claim.vetoes == [["email", ""]]
        connection.rollback()
        (claim,) = sql_sending.claim(cursor, shop, "email", NEVER_LATER, 10)
        assert claim.vetoes == [["email", ""]]


@pytest.mark.parametrize("way", ["choice", "event", "import"])
def test_an_opt_out_that_a_claim_did_not_see_is_answered_when_its_message_is_at_its_end(
    connection: Connection, shop: int, database_url: str, tmp_path: Path, way: str
) -> None:
    ada = put_profile(connection, shop, "ada")
    message = plan(connection, shop, ada, topic="news")
    with connection.cursor(binary=True) as cursor, connect(database_url, autocommit=True) as watch:
        (claim,) = sql_sending.claim(cursor, shop, "email", NEVER_LATER, 10)
        assert claim.vetoes == []
        with opting_out(database_url, WAYS[way](shop, tmp_path)) as is_answered:
            until(watch, "SELECT EXISTS (SELECT FROM veto)")
            until(watch, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock')")
            assert not is_answered.is_set()
            sql_sending.hand(cursor, shop, [said(message)], "mail", None, 60)
            connection.commit()
            until(watch, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock')")
            assert not is_answered.is_set()
            sql_sending.finish(cursor, shop, [Ending(id=message, fence=1, state="sent")])
            connection.commit()
            assert is_answered.wait(30)


def test_it_waits_for_nothing_that_it_does_not_forbid(connection: Connection, shop: int, database_url: str) -> None:
    ada = put_profile(connection, shop, "ada")
    handed(connection, shop, plan(connection, shop, ada, transactional=True))
    handed(connection, shop, plan(connection, shop, ada, channel="push"))
    handed(connection, shop, plan(connection, shop, ada), lease=-1)  # its sender is gone
    plan(connection, shop, ada)
    assert waited(database_url, shop, ada)


def test_a_provider_that_does_not_answer_does_not_hold_it_for_ever(
    connection: Connection, shop: int, database_url: str
) -> None:
    ada = put_profile(connection, shop, "ada")
    handed(connection, shop, plan(connection, shop, ada))
    assert not waited(database_url, shop, ada, patience=0.05)


def test_what_was_planned_for_a_record_that_was_joined_counts(
    connection: Connection, shop: int, database_url: str
) -> None:
    ada, before = put_profile(connection, shop, "ada"), put_profile(connection, shop, "before")
    connection.execute("UPDATE profile SET merged_into = %s WHERE id = %s", [ada, before])
    handed(connection, shop, plan(connection, shop, before))
    assert not waited(database_url, shop, ada, patience=0.05)


def handed(connection: Connection, shop: int, message: bytes, lease: float = 60) -> None:
    with connection.cursor(binary=True) as cursor:
        sql_sending.hand(cursor, shop, [said(message)], "mail", None, lease)
    connection.commit()


def said(message: bytes) -> Said:
    return Said(id=message, address="ada@example.com", subject="", body="", links=[], unsubscribe=None)


def waited(url: str, shop: int, profile: bytes, **more: float) -> bool:
    return asyncio.run(with_database(url, lambda database: outlast(database, shop, [profile], "email", **more)))


Ask = Callable[[Database], Coroutine[Any, Any, Any]]


def by_choice(shop: int, folder: Path) -> Ask:
    ada, choice = ids.profile_id(shop, "user", "ada"), Choice(channel="email", state=OPTED_OUT)
    return lambda database: choose(database, Log(database, PARTITIONS), shop, ada, choice)


def by_event(shop: int, folder: Path) -> Ask:
    body = b'{"userId": "ada", "context": {"consent": {"categoryPreferences": {"news": false, "offers": false}}}}'
    items = Reader(shop, 1, "UTC", 1 << 20).read("identify", body).items
    return lambda database: ObeyingLog(database, Log(database, PARTITIONS)).append(shop, items)


def by_import(shop: int, folder: Path) -> Ask:
    path = folder / "choices.csv"
    path.write_text("who,news\nada,no\n")
    said = {"kind": "profiles", "columns": {"who": "userId"}}
    said |= {"consent": {"column": "news", "channel": "email", "topic": "news", "states": {"no": "opted_out"}}}
    workspace = Workspace(shop, "shop", "live", "UTC", "JPY", "opt_out", PARTITIONS)
    order = Order(workspace, look(path), path.name, maps.parse(said), said, folder / "rejects", most_behind=None)
    return lambda database: run(database, order, lambda _: None)


WAYS = {"choice": by_choice, "event": by_event, "import": by_import}


@contextmanager
def opting_out(url: str, ask: Ask) -> Iterator[threading.Event]:
    """Somebody opts out meanwhile; the event says that they have their answer."""
    is_answered = threading.Event()

    def wait() -> None:
        asyncio.run(with_database(url, ask))
        is_answered.set()

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield is_answered
    finally:
        thread.join(30)


async def with_database(url: str, ask: Callable[[Database], Any]) -> Any:
    database = Database(url, name="test")
    await database.open()
    try:
        return await ask(database)
    finally:
        await database.close()


def until(watch: Connection, question: Any) -> None:
    """Asks until it is so."""
    last = time.monotonic() + 30
    while time.monotonic() < last:
        row = watch.execute(question).fetchone()
        if row and row[0]:
            return
        time.sleep(0.002)
    raise AssertionError(f"it never came true: {question}")

"""Of an opt-out and a claim that meet, one sees the other: each order, made to happen."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
import pytest

from kizuna.consent import store
from kizuna.consent.choose import Choice, choose
from kizuna.consent.decide import OPTED_OUT
from kizuna.consent.outlast import outlast
from kizuna.core import ids
from kizuna.events.log import Log
from kizuna.messages import sql_sending
from kizuna.messages.message import Ending, Said
from kizuna.profiles.section import Profile
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
            other.execute(*store.veto(shop, ada, "evt_1", "email", ""))

    with connection.cursor(binary=True) as cursor:
        (claim,) = sql_sending.claim(Interrupted(cursor, opt_out), shop, "email", NEVER_LATER, 10)
        assert claim.vetoes == [["email", ""]]
        connection.rollback()
        (claim,) = sql_sending.claim(cursor, shop, "email", NEVER_LATER, 10)
        assert claim.vetoes == [["email", ""]]


def test_an_opt_out_that_a_claim_did_not_see_is_answered_when_its_message_is_at_its_end(
    connection: Connection, shop: int, database_url: str
) -> None:
    ada = put_profile(connection, shop, "ada")
    message = plan(connection, shop, ada)
    with connection.cursor(binary=True) as cursor, connect(database_url, autocommit=True) as watch:
        (claim,) = sql_sending.claim(cursor, shop, "email", NEVER_LATER, 10)
        assert claim.vetoes == []
        with opting_out(database_url, shop, ada) as is_answered:
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
    ada, before = put_profile(connection, shop, "ada"), ids.profile_id(shop, "anon", "browser")
    known = msgspec.msgpack.encode(Profile(user_id="ada", anonymous_ids=["browser"]))
    connection.execute("UPDATE profile SET profiles = %s WHERE id = %s", [known, ada])
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


@contextmanager
def opting_out(url: str, shop: int, profile: bytes) -> Iterator[threading.Event]:
    """Somebody opts out meanwhile; the event says that they have their answer."""
    is_answered, choice = threading.Event(), Choice(channel="email", state=OPTED_OUT)

    def ask() -> None:
        asyncio.run(
            with_database(url, lambda database: choose(database, Log(database, PARTITIONS), shop, profile, choice))
        )
        is_answered.set()

    thread = threading.Thread(target=ask)
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

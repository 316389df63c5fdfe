"""Migrations run once, whoever runs them."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from kizuna.core.errors import KizunaError
from kizuna.messages.message import read_passed
from kizuna.runtime import migrate


def test_first_migration_fills_the_installation(connection: psycopg.Connection[Any]) -> None:
    row = connection.execute("SELECT partitions, secret, setup_hash, created_at > 0 FROM installation").fetchone()
    assert row is not None
    partitions, secret, setup_hash, has_time = row
    assert (partitions, setup_hash, has_time) == (64, None, True)
    assert isinstance(secret, bytes)
    assert len(secret) == 32


def test_a_second_migration_does_nothing(database_url: str, connection: psycopg.Connection[Any]) -> None:
    before = connection.execute("SELECT secret FROM installation").fetchone()
    assert migrate.migrate(database_url) is False
    assert connection.execute("SELECT secret FROM installation").fetchone() == before


def test_two_at_once_do_it_once(empty_database_url: str) -> None:
    done: list[bool] = []
    threads = [threading.Thread(target=lambda: done.append(migrate.migrate(empty_database_url))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, True]
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("SELECT count(*) FROM installation").fetchone() == (1,)
        assert migrate.current(connection) == migrate.revisions()[-1]


def test_alembic_and_a_first_start_make_the_same_schema(database_url: str, empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url)
    made, upgraded = (_described(url) for url in (database_url, empty_database_url))
    assert len(made) > 100
    assert made == upgraded


def _described(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns"
            " WHERE table_schema = 'public'"
            " UNION ALL SELECT tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'"
            " UNION ALL SELECT version_num, '', '', '', '' FROM alembic_version ORDER BY 1, 2"
        ).fetchall()


def test_a_database_of_a_newer_kizuna_is_refused(connection: psycopg.Connection[Any]) -> None:
    connection.execute("UPDATE alembic_version SET version_num = '9999_pre'")
    with pytest.raises(KizunaError, match="install a newer one"):
        migrate.is_behind(connection)


ITEM: dict[str, Any] = {
    "message_id": "msg_" + "01" * 16, "profile": "prf_" + "03" * 16, "channel": "email", "to": "ada@example.com",
    "subject": "Hello", "body": "<p>Hi</p>", "template": "hello", "step": None, "journey": "welcome",
    "headers": {
        "To": "ada@example.com", "Subject": "Hello", "Message-ID": f"<msg_{'01' * 16}@kizuna.invalid>",
        "List-Unsubscribe": "<https://kizuna.example/u/abc>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    },
}  # fmt: skip


def test_messages_of_an_older_kizuna_keep_their_history_content_and_place_in_the_outbox(
    empty_database_url: str,
) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute((migrate.FOLDER / "0001_pre.sql").read_bytes())
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001_pre')")
        for message, state, history in (
            (b"\1" * 16, "opened", [("planned", 5), ("claimed", 7), ("handed", 7), ("sent", 7), ("opened", 9)]),
            (b"\2" * 16, "skipped", [("skipped", 6)]),
        ):
            connection.execute(
                "INSERT INTO message (workspace, id, profile, state, channel, purpose, occurrence, template, journey,"
                " planned_at, due_at, expires_at, root, provider, address, history)"
                " VALUES (1, %s, %s, %s, 'email', 'api', 'o', 'hello', 'welcome', 5, 5, 99, 1, 'outbox', %s, %s)",
                [message, b"\2" * 16, state, ITEM["to"], Jsonb([{"state": s, "at": at} for s, at in history])],
            )
        connection.execute(
            "INSERT INTO message_content VALUES (1, %s, 'Hello', '<p>Hi</p>', '[\"https://shop.example\"]')",
            [b"\1" * 16],
        )
        connection.execute(
            "INSERT INTO outbox (workspace, id, message, at, item) OVERRIDING SYSTEM VALUE VALUES (1, 41, %s, 7, %s)",
            [b"\1" * 16, Jsonb(ITEM)],
        )
    assert migrate.migrate(empty_database_url) is True
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("SELECT * FROM outbox").fetchall() == [(1, 41, b"\1" * 16, 7, ITEM)]
        assert connection.execute("SELECT nextval('outbox_number')").fetchone() == (42,)
        rows = connection.execute("SELECT history, subject, body, links FROM message ORDER BY id").fetchall()
    passed = [[read_passed(entry) for entry in row[0]] for row in rows]
    assert passed == [
        [("planned", 5), ("claimed", 7), ("handed", 7), ("sent", 7), ("opened", 9)],
        [("skipped", 6)],
    ]
    assert [row[1:] for row in rows] == [("Hello", "<p>Hi</p>", ["https://shop.example"]), (None, None, None)]

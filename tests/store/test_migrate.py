"""Migrations run once, whoever runs them."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

from kizuna.core.errors import KizunaError
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

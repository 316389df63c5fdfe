"""One real PostgreSQL for each process that runs tests; a fresh database, cloned from a migrated one, for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql

from kizuna.runtime.database import connect
from kizuna.runtime.migrate import migrate
from kizuna.runtime.postgres import Embedded

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of our own; tests make their own databases on it."""
    server = Embedded()
    try:
        yield server.start(tmp_path_factory.mktemp("kizuna data 絆"))
    finally:
        server.stop()


@pytest.fixture(scope="session")
def template_database(postgres_url: str) -> str:
    """The name of a migrated database that nobody is connected to."""
    name = "migrated"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute("CREATE DATABASE migrated")
    migrate(of_database(postgres_url, name))
    return name


@pytest.fixture
def database_url(postgres_url: str, template_database: str) -> Iterator[str]:
    """The URL of a fresh migrated database."""
    with _database(postgres_url, template_database) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh database with nothing in it."""
    with _database(postgres_url, "template1") as url:
        yield url


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A sync connection to that database, as workers have."""
    with connect(database_url, name="test") as connection:
        yield connection


@contextmanager
def _database(server_url: str, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield of_database(server_url, name)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def of_database(url: str, name: str) -> str:
    """The same server's URL with another database."""
    server, _, options = url.partition("?")
    return f"{server.rpartition('/')[0]}/{name}?{options}"

"""Connections to PostgreSQL: one kind for workers (sync), a pool for servers (async)."""

from __future__ import annotations

import select
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import msgspec
import psycopg
from psycopg import pq
from psycopg.sql import SQL, Identifier
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool

from kizuna.core.errors import Unavailable

_json = msgspec.json.Encoder(decimal_format="number")  # a Decimal inside stays a number, exactly
SETTINGS: dict[str, Any] = {"connect_timeout": 10, "application_name": "kizuna", "options": "-c TimeZone=UTC"}


class BinaryCursor(psycopg.Cursor[Any]):
    """Asks for binary results (bytea at half the size, as `bytes`); hence one statement an `execute`."""

    def __init__(self, connection: psycopg.Connection[Any], **options: Any) -> None:
        super().__init__(connection, **options)
        self.format = pq.Format.BINARY


class AsyncBinaryCursor(psycopg.AsyncCursor[Any]):
    """As `BinaryCursor`."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], **options: Any) -> None:
        super().__init__(connection, **options)
        self.format = pq.Format.BINARY


def connect(
    url: str, *, name: str = "kizuna", autocommit: bool = False, binary: bool = True
) -> psycopg.Connection[Any]:
    """A connection for a sync worker. JSON comes and goes through msgspec."""
    settings = {**SETTINGS, "application_name": name}
    try:
        connection = psycopg.connect(url, autocommit=autocommit, **settings)
    except psycopg.Error as error:
        raise Unavailable(f"the database does not answer: {_first_line(error)}", code="database_unavailable") from None
    if binary:
        connection.cursor_factory = BinaryCursor
    prepare_json(connection)
    return connection


@contextmanager
def in_one_go(connection: psycopg.Connection[Any], told: Iterable[str] = ()) -> Iterator[psycopg.Cursor[Any]]:
    """One transaction of an autocommit connection in which only a fetch waits: what is merely written travels together
    with the commit. An error is raised by a later statement, or at the end; nothing after it is done.

    `told` are channels whose listeners hear of it, read at the end.
    """
    try:
        with pipelined(connection), connection.cursor(binary=True) as cursor:
            cursor.execute("BEGIN")
            yield cursor
            commit(cursor, told)
    except BaseException:
        if not connection.closed:
            connection.rollback()
        raise


@contextmanager
def pipelined(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Statements are sent without waiting for answers; raises what went wrong first, not what was left undone after."""
    try:
        with connection.pipeline():
            yield
    except psycopg.errors.PipelineAborted as aborted:
        error: BaseException | None = aborted
        while isinstance(error, psycopg.errors.PipelineAborted):
            error = error.__context__
        raise error if isinstance(error, psycopg.Error) else aborted from None


def commit(cursor: psycopg.Cursor[Any], told: Iterable[str]) -> None:
    """Of a pipelined transaction. Listeners are told by one of its own right behind: PostgreSQL lets transactions that
    notify commit one by one, each through its fsync, where others share one. A word that is lost between the two, with
    the server, is like any other: who listens also looks by itself."""
    cursor.execute("COMMIT")
    for channel in told:
        cursor.execute(SQL("NOTIFY {}").format(Identifier(channel)))


class Database:
    """A pool of async connections; opened and closed by the server that owns it."""

    def __init__(self, url: str, *, smallest: int = 1, largest: int = 16, name: str = "kizuna serve") -> None:
        self.url = url
        self._lines: list[Line] = []
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]] = AsyncConnectionPool(
            url,
            kwargs={**SETTINGS, "application_name": name, "cursor_factory": AsyncBinaryCursor},
            min_size=smallest,
            max_size=largest,
            max_idle=60.0,
            timeout=10.0,
            open=False,
            configure=_configure,
            check=AsyncConnectionPool.check_connection,  # so that a restarted PostgreSQL costs no request
        )

    async def open(self) -> None:
        """Start connecting; the first use waits for the database, not this."""
        await self._pool.open()

    async def close(self) -> None:
        for line in self._lines:
            await line.hang_up()
        await self._pool.close(timeout=5.0)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        async with self._pool.connection() as connection:
            yield connection

    def line(self, *, autocommit: bool = False) -> Line:
        """A connection for one user of its own, held until it hangs up or the database is closed."""
        self._lines.append(Line(self._pool, autocommit=autocommit))
        return self._lines[-1]


class Line:
    """One connection that is kept between uses, and so need not ask over the wire before each whether it lives."""

    def __init__(self, pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]], *, autocommit: bool) -> None:
        self._pool = pool
        self._autocommit = autocommit
        self._connection: psycopg.AsyncConnection[Any] | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """As that of `Database`; one use at a time."""
        if self._connection is not None and _has_said_something(self._connection):
            await self.hang_up()
        if self._connection is None:
            self._connection = await self._pool.getconn()
            await self._connection.set_autocommit(self._autocommit)
        connection = self._connection
        try:
            yield connection
            await connection.commit()
        except BaseException:
            await self.hang_up()  # the pool mends it, or makes another
            raise

    async def hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):  # broken, or left at work: the pool sees to it
                await connection.set_autocommit(False)
            if connection.autocommit:
                await connection.close()
            await self._pool.putconn(connection)


def _has_said_something(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Whether bytes wait on an idle connection: mostly its end."""
    if connection.closed:
        return True
    ear = select.poll()
    ear.register(connection.fileno(), select.POLLIN)
    return bool(ear.poll(0))


def prepare_json(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
    set_json_loads(msgspec.json.decode, connection)
    set_json_dumps(_json.encode, connection)


async def _configure(connection: psycopg.AsyncConnection[Any]) -> None:
    prepare_json(connection)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]

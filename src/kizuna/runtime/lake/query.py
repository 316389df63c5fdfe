"""Questions to the lake: a DuckDB cursor each, over one snapshot of the workspace's history."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kizuna.core.errors import Unavailable
from kizuna.runtime.lake import views
from kizuna.runtime.lake.place import Place, folder_of
from kizuna.runtime.lake.snapshot import HEADS, History, Snapshot
from kizuna.runtime.lake.tail import READ, SIZE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from psycopg import Connection

    from kizuna.runtime.database import Database

MEMORY = "256MB"
THREADS = 2
AT_ONCE = 3  # questions answered side by side; the others wait
STREAMED = 2_000  # rows
REMEMBERED = 32  # workspaces whose tail is kept

Rows = list[tuple[Any, ...]]
Question = tuple[str, Mapping[str, Any]]  # SQL and its parameters
Checks = Mapping[str, Callable[[str, int], bool]]  # functions for the SQL of (properties, instant); names are unique


class Lake:
    """The history of all workspaces of an installation, for questions. DuckDB is loaded by the first one."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._histories: OrderedDict[int, History] = OrderedDict()
        self._turns: dict[int, asyncio.Lock] = {}
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._connection: DuckDBPyConnection | None = None
        self._opening = threading.Lock()

    async def query(
        self,
        database: Database,
        workspace: int,
        sql: str,
        params: Mapping[str, Any] | None = None,
        *,
        checks: Checks | None = None,
        seconds: float = 30,
    ) -> Rows:
        """Our own SQL (see `views` for its tables, `$name` for parameters), answered in a thread."""
        return (await self.query_all(database, workspace, [(sql, params or {})], checks=checks, seconds=seconds))[0]

    async def query_all(
        self,
        database: Database,
        workspace: int,
        questions: Sequence[Question],
        *,
        checks: Checks | None = None,
        seconds: float = 30,
    ) -> list[Rows]:
        """Several questions about one and the same state."""
        async with self._gate:
            snapshot = await self.snapshot(database, workspace)
            try:
                return await asyncio.to_thread(self.ask_all, snapshot, questions, checks, seconds)
            except FileNotFoundError:
                self.history(workspace).forget()
                snapshot = await self.snapshot(database, workspace)
                return await asyncio.to_thread(self.ask_all, snapshot, questions, checks, seconds)

    def query_sync(
        self,
        connection: Connection[Any],
        workspace: int,
        sql: str,
        params: Mapping[str, Any] | None = None,
        *,
        seconds: float = 600,
    ) -> Rows:
        """As `query`, for workers and commands; reads within the connection's transaction."""
        try:
            return self.ask(self.snapshot_sync(connection, workspace), sql, params, seconds)
        except FileNotFoundError:
            self.history(workspace).forget()
            return self.ask(self.snapshot_sync(connection, workspace), sql, params, seconds)

    def stream(
        self, connection: Connection[Any], workspace: int, sql: str, params: Mapping[str, Any]
    ) -> Iterator[tuple[Any, ...]]:
        """As `query_sync`, a few thousand rows at a time and for as long as it takes."""
        snapshot = self.snapshot_sync(connection, workspace)
        cursor = self._cursor()
        try:
            lay_out(cursor, snapshot, sql)
            cursor.execute(sql, dict(params))
            while rows := cursor.fetchmany(STREAMED):
                yield from rows
        finally:
            cursor.close()

    async def pages(
        self, database: Database, workspace: int, sql: str, params: Mapping[str, Any]
    ) -> AsyncIterator[Rows]:
        """As `stream`, for servers: the next rows are fetched when they are asked for."""
        snapshot = await self.snapshot(database, workspace)
        cursor = self._cursor()
        try:
            await asyncio.to_thread(lay_out, cursor, snapshot, sql)
            await asyncio.to_thread(cursor.execute, sql, dict(params))
            while rows := await asyncio.to_thread(cursor.fetchmany, STREAMED):
                yield rows
        finally:
            cursor.close()

    async def snapshot(self, database: Database, workspace: int) -> Snapshot:
        """What is folded and committed by now."""
        history = self.history(workspace)
        async with self._turns.setdefault(workspace, asyncio.Lock()), database.connection() as connection:
            cursor = await connection.execute(HEADS, [workspace])
            heads = [partition for (partition,) in await cursor.fetchall()]
            archived = await asyncio.to_thread(history.refresh, heads)
            question = history.tail.question(workspace, archived)
            size: Any = await (await connection.execute(SIZE, question)).fetchone()
            history.tail.allow(size)
            rows = await (await connection.execute(READ, question)).fetchall() if size[0] else []
            return await asyncio.to_thread(history.take, rows)

    def snapshot_sync(self, connection: Connection[Any], workspace: int) -> Snapshot:
        history = self.history(workspace)
        heads = [partition for (partition,) in connection.execute(HEADS, [workspace]).fetchall()]
        question = history.tail.question(workspace, history.refresh(heads))
        size: Any = connection.execute(SIZE, question).fetchone()
        history.tail.allow(size)
        return history.take(connection.execute(READ, question).fetchall() if size[0] else [])

    def history(self, workspace: int) -> History:
        found = self._histories.pop(workspace, None) or History(folder_of(self.place, workspace))
        self._histories[workspace] = found
        if len(self._histories) > REMEMBERED:
            self._histories.popitem(last=False)
        return found

    def ask(self, snapshot: Snapshot, sql: str, params: Mapping[str, Any] | None = None, seconds: float = 30) -> Rows:
        return self.ask_all(snapshot, [(sql, params or {})], None, seconds)[0]

    def ask_all(
        self, snapshot: Snapshot, questions: Sequence[Question], checks: Checks | None = None, seconds: float = 30
    ) -> list[Rows]:
        """Raises FileNotFoundError when a file of the snapshot is vacuumed away."""
        import duckdb

        cursor = self._cursor()
        timer = threading.Timer(seconds, cursor.interrupt)
        timer.start()
        try:
            lay_out(cursor, snapshot, " ".join(sql for sql, _ in questions))
            for name, check in (checks or {}).items():
                cursor.create_function(name, check, ["VARCHAR", "BIGINT"], "BOOLEAN")  # type: ignore[list-item]
            return [cursor.execute(sql, dict(params) if params else None).fetchall() for sql, params in questions]
        except duckdb.InterruptException:
            raise Unavailable(f"the question took longer than {seconds:g} s", code="query_too_slow") from None
        except duckdb.OutOfMemoryException:
            raise Unavailable(f"the question needs more than {MEMORY}", code="query_too_large") from None
        except duckdb.IOException as error:
            if any(not file.exists() for files in snapshot.files.values() for file in files):
                raise FileNotFoundError(str(error)) from None
            raise
        finally:
            timer.cancel()
            for name in checks or ():
                with contextlib.suppress(duckdb.Error):
                    cursor.remove_function(name)
            cursor.close()

    def _cursor(self) -> DuckDBPyConnection:
        with self._opening:
            if self._connection is None:
                self._connection = open_duckdb(Path(self.place.data) / "tmp" / "duckdb")
            return self._connection.cursor()


def open_duckdb(spill: Path | None) -> DuckDBPyConnection:
    """DuckDB in memory, bounded, that downloads nothing; `spill` is where large sorts may go."""
    import duckdb

    return duckdb.connect(
        ":memory:",
        config={
            "threads": THREADS,
            "memory_limit": MEMORY,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": False,
            "temp_directory": str(spill) if spill else "",
        },
    )


def lay_out(cursor: DuckDBPyConnection, snapshot: Snapshot, sql: str | None = None) -> None:
    """Make the tables of `views` visible to this cursor alone: those that `sql` names, or all."""
    from arro3.core import Array, DataType, Table

    archived = Table.from_pydict(
        {
            "partition": Array(list(snapshot.archived), type=DataType.int32()),
            "offset": Array(list(snapshot.archived.values()), type=DataType.int64()),
        }
    )
    cursor.register("tail_events", snapshot.tail_events)
    cursor.register("tail_changes", snapshot.tail_changes)
    cursor.register("archived", archived)
    spread(cursor, snapshot.files, sql)


def spread(cursor: DuckDBPyConnection, files: Mapping[str, list[Path]], sql: str | None = None) -> None:
    """The views, over the tail tables that the cursor has."""
    cursor.execute(f"CREATE TEMP VIEW said AS {views.said(files['events'])}")
    cursor.execute(f"CREATE TEMP VIEW changes AS {views.changes(files['profiles'])}")
    cursor.execute(f"CREATE TEMP TABLE identity AS {views.IDENTITY}")
    found: Any = cursor.execute("SELECT count(*) FROM identity").fetchone()
    cursor.execute(f"CREATE TEMP VIEW events AS {views.events(merged=found[0] > 0)}")
    for macro in views.MACROS:
        cursor.execute(macro)
    for name, view in views.VIEWS.items():
        if sql is None or name in sql:  # a view costs milliseconds even unused
            cursor.execute(f"CREATE TEMP VIEW {name} AS {view}")

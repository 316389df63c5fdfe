"""The log as the server writes it: appends that arrive together share one commit, and none is answered before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import psycopg

from kizuna.accounts import store as accounts
from kizuna.core.errors import Unavailable
from kizuna.core.ids import PARTITIONS_DEFAULT
from kizuna.engine.append import Statement, append_rows, rows_of
from kizuna.engine.moment import Item
from kizuna.events import store
from kizuna.events.wires import Refused
from kizuna.runtime.database import Database

# A commit writes a row a partition, however few its items. Senders that were answered together come again together: a
# moment later all of them share one commit, where else they would take turns in two.
LARGE = 200  # items
BETWEEN_LARGE = 0.003  # seconds
LONGEST_TOGETHER = 64 << 10  # bytes of items

Connect = Callable[[], AbstractAsyncContextManager[psycopg.AsyncConnection[Any]]]


class Appends(Protocol):
    """What takes items into the log; see `Log.append`."""

    async def append(
        self,
        workspace: int,
        items: Sequence[Item],
        before: Sequence[Statement] = (),
        refused: Sequence[Refused] = (),
        source: str = "api",
    ) -> int: ...


class _Group:
    """What waits to be committed for one workspace."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.requests = 0
        self.refused: list[tuple[str, Sequence[Refused]]] = []
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()


class Log:
    """Appends items. While one commit is under way the next group gathers; only between large ones is there a pause."""

    def __init__(self, database: Database, partitions: int = 0) -> None:
        self.database = database
        self.partitions = partitions
        self._line = database.line()
        self._groups: dict[int, _Group] = {}
        self._busy: asyncio.Task[None] | None = None

    async def append(
        self,
        workspace: int,
        items: Sequence[Item],
        before: Sequence[Statement] = (),
        refused: Sequence[Refused] = (),
        source: str = "api",
    ) -> int:
        """Commit items and say their position. `before` runs in the same transaction, ahead of the append."""
        if before:
            kept = [(source, refused)] if refused else []
            return await self._commit(self.database.connection, workspace, items, kept, before)
        group = self._groups.get(workspace)
        if group is None:
            group = self._groups[workspace] = _Group()
        group.items.extend(items)
        group.requests += 1
        if refused:
            group.refused.append((source, refused))
        if self._busy is None or self._busy.done():
            self._busy = asyncio.create_task(self._drain())
        return await asyncio.shield(group.done)

    async def _drain(self) -> None:
        while self._groups:
            workspace, group = next(iter(self._groups.items()))
            del self._groups[workspace]
            try:
                position = await self._commit(self._line.connection, workspace, group.items, group.refused, ())
            except Exception as error:
                group.done.set_exception(error)
                group.done.exception()  # the waiters have it; nobody else needs to
            else:
                group.done.set_result(position)
                if group.requests > 1 and len(group.items) >= LARGE:
                    await asyncio.sleep(BETWEEN_LARGE)

    async def _commit(
        self,
        connection: Connect,
        workspace: int,
        items: Sequence[Item],
        refused: Sequence[tuple[str, Sequence[Refused]]],
        before: Sequence[Statement],
    ) -> int:
        try:
            async with connection() as conn:
                partitions = await self._count_partitions(conn)
                statements = [*before, *(store.reject_statement(workspace, s, r) for s, r in refused)]
                if not items:
                    for statement in statements:
                        await conn.execute(*statement)
                    return await store.next_position(conn)
                rows = rows_of(items, partitions)
                async with _together(conn, sum(len(row.body) for row in rows)):
                    for statement in statements:
                        await conn.execute(*statement)
                    lock, append = append_rows(workspace, rows)
                    await conn.execute(*lock)
                    appended = await conn.execute(*append)
                    await conn.execute("COMMIT")
                    await conn.execute("NOTIFY kizuna_log")  # by itself: see `runtime.database.commit`
                row = await appended.fetchone()
                assert row  # noqa: S101
                return row[2]
        except psycopg.OperationalError as error:
            raise Unavailable("the log cannot be written now; send it again", code="log_unavailable") from error

    async def _count_partitions(self, conn: psycopg.AsyncConnection[Any]) -> int:
        if not self.partitions:
            self.partitions = await accounts.partitions(conn) or PARTITIONS_DEFAULT
        return self.partitions


@asynccontextmanager
async def _together(conn: psycopg.AsyncConnection[Any], size: int) -> AsyncIterator[None]:
    """Statements travel together, unless they are long: psycopg (3.3) does not see to it that what the socket did not
    take at once of a pipeline is sent before it waits for the answers, for ever."""
    if size > LONGEST_TOGETHER:
        yield
        return
    async with conn.pipeline() as pipeline:
        yield
        await pipeline.sync()

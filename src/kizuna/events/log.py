"""The log as the server writes it: appends that arrive together share one commit, and none is answered before it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import psycopg
from msgspec import Struct

from kizuna.accounts import store as accounts
from kizuna.core.errors import Unavailable
from kizuna.core.ids import PARTITIONS_DEFAULT, partition_of
from kizuna.engine import word
from kizuna.engine.append import Statement, append_rows, rows_of
from kizuna.engine.moment import Item
from kizuna.events import store
from kizuna.events.gather import Gatherer
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


class _Write(Struct, frozen=True):
    """What one request wants written."""

    items: Sequence[Item]
    refused: Sequence[Refused]
    source: str
    is_waited_for: bool


class Log:
    """Appends items. While one commit is under way the next group gathers; only between large ones is there a pause."""

    def __init__(self, database: Database, partitions: int = 0) -> None:
        self.database = database
        self.partitions = partitions
        self._line = database.line()
        self._gatherer = Gatherer(self._write, _rest)

    async def append(
        self,
        workspace: int,
        items: Sequence[Item],
        before: Sequence[Statement] = (),
        refused: Sequence[Refused] = (),
        source: str = "api",
        *,
        is_waited_for: bool = False,
    ) -> int:
        """Commit items and say their position. `before` runs in the same transaction, ahead of the append. What
        `is_waited_for` is folded before what others left there to be done."""
        write = _Write(items, refused, source, is_waited_for)
        if before:
            return await self._commit(self.database.connection, workspace, [write], before)
        return await self._gatherer.ask(workspace, write)

    async def _write(self, workspace: int, writes: list[_Write]) -> list[int]:
        return [await self._commit(self._line.connection, workspace, writes, ())] * len(writes)

    async def _commit(
        self,
        connection: Connect,
        workspace: int,
        writes: Sequence[_Write],
        before: Sequence[Statement],
    ) -> int:
        items = [item for write in writes for item in write.items]
        try:
            async with connection() as conn:
                partitions = await self._count_partitions(conn)
                refused = [
                    store.reject_statement(workspace, each.source, each.refused) for each in writes if each.refused
                ]
                statements = [*before, *refused]
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
                    waited_for = {item.profile for write in writes if write.is_waited_for for item in write.items}
                    told = word.say(workspace, {partition_of(profile, partitions) for profile in waited_for})
                    await conn.execute(*told)  # by itself: see `runtime.database.commit`
                row = await appended.fetchone()
                assert row  # noqa: S101
                return row[2]
        except psycopg.OperationalError as error:
            raise Unavailable("the log cannot be written now; send it again", code="log_unavailable") from error

    async def _count_partitions(self, conn: psycopg.AsyncConnection[Any]) -> int:
        if not self.partitions:
            self.partitions = await accounts.partitions(conn) or PARTITIONS_DEFAULT
        return self.partitions


def _rest(writes: list[_Write]) -> float:
    return BETWEEN_LARGE if len(writes) > 1 and sum(len(each.items) for each in writes) >= LARGE else 0.0


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

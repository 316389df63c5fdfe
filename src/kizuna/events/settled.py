"""Read your writes: wait until a position and all that follows from it is applied."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from weakref import WeakKeyDictionary

from msgspec import Struct

from kizuna.core.errors import NotSettled
from kizuna.events import store
from kizuna.runtime.database import Database

FIRST_LOOK, SLOWEST_LOOK = 0.002, 0.05  # seconds between looks
PATIENCE = 0.1  # of the time waited so far: nobody hears of it more than a tenth late


async def wait(database: Database, workspace: int, position: int, seconds: float = 5.0) -> None:
    """Return once nothing that follows from writes up to `position` is open; raises `NotSettled` after `seconds`."""
    watch = _watches.get(database)
    if watch is None:
        watch = _watches[database] = _Watch(database)
    try:
        async with asyncio.timeout(seconds):
            await watch.until(workspace, position)
    except TimeoutError:
        async with database.connection() as conn:  # however short the wait was
            if not await store.is_settled(conn, workspace, position):
                raise NotSettled(f"not settled after {seconds:g} s; ask again, or with a longer `wait`") from None


class _Waiter(Struct, eq=False):
    position: int
    since: float
    done: asyncio.Future[None]


class _Queue:
    """Those who wait in one workspace."""

    def __init__(self) -> None:
        self.waiters: list[_Waiter] = []
        self.bell = asyncio.Event()  # somebody new came


class _Watch:
    """Looks for all who wait: a later position is not settled before an earlier one, so one look serves everybody."""

    def __init__(self, database: Database) -> None:
        self._line = database.line(autocommit=True)  # those who wait long must not hold back those who write
        self._in_use = asyncio.Lock()
        self._queues: dict[int, _Queue] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def until(self, workspace: int, position: int) -> None:
        queue = self._queues.get(workspace)
        if queue is None:
            queue = self._queues[workspace] = _Queue()
            self._tasks.add(task := asyncio.create_task(self._serve(workspace, queue)))
            task.add_done_callback(self._tasks.discard)
        waiter = _Waiter(position, time.monotonic(), asyncio.get_running_loop().create_future())
        queue.waiters.append(waiter)
        queue.bell.set()
        try:
            await waiter.done
        finally:
            if waiter in queue.waiters:
                queue.waiters.remove(waiter)

    async def _serve(self, workspace: int, queue: _Queue) -> None:
        try:
            while queue.waiters:
                first = min(waiter.position for waiter in queue.waiters)
                queue.bell.clear()
                if await self._look(workspace, first):
                    _let_go(queue, first)
                else:
                    await _pause(queue)
        except Exception as error:  # each of those who wait says it to its own client
            for waiter in queue.waiters:
                if not waiter.done.done():
                    waiter.done.set_exception(error)
        finally:
            del self._queues[workspace]
            async with self._in_use:
                if not self._queues:
                    await self._line.hang_up()

    async def _look(self, workspace: int, position: int) -> bool:
        async with self._in_use, self._line.connection() as conn:
            return await store.is_settled(conn, workspace, position)


def _let_go(queue: _Queue, position: int) -> None:
    for waiter in [waiter for waiter in queue.waiters if waiter.position <= position]:
        queue.waiters.remove(waiter)
        if not waiter.done.done():
            waiter.done.set_result(None)


async def _pause(queue: _Queue) -> None:
    newest = max((waiter.since for waiter in queue.waiters), default=0.0)
    seconds = min(max(FIRST_LOOK, PATIENCE * (time.monotonic() - newest)), SLOWEST_LOOK)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await queue.bell.wait()


# One watch a database, found by whoever waits: those who wait are in many slices, and share nothing else.
_watches: WeakKeyDictionary[Database, _Watch] = WeakKeyDictionary()

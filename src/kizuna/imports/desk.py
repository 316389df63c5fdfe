"""Imports that a server runs beside its requests: one at a time, uploads kept until done, taken up after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import structlog
from msgspec.structs import replace

from kizuna.accounts import store as accounts
from kizuna.config import Config
from kizuna.consent.subjects import Subjects
from kizuna.core import ids
from kizuna.core.errors import KizunaError, TooLarge
from kizuna.engine.slice import Workspace
from kizuna.imports import map as maps
from kizuna.imports import run as running
from kizuna.imports import store
from kizuna.imports.look import look
from kizuna.imports.map import Map
from kizuna.imports.run import Order
from kizuna.imports.store import Import
from kizuna.runtime.database import Database

FOLDER = "imports"
LARGEST = 4 << 30  # bytes of an upload
MOST_REJECTS = 100 << 20  # bytes of a rejects file
KEPT_SECONDS = 7 * 86_400  # of rejects, and of what a crash left: they hold what customers told

logger = structlog.get_logger()


class Imports:
    def __init__(self, config: Config, database: Database, subjects: Subjects) -> None:
        self.config = config
        self.database = database
        self.subjects = subjects
        self.folder = config.data / FOLDER
        self._turn = asyncio.Semaphore(1)
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(
        self, workspace: Workspace, stream: AsyncIterator[bytes], name: str, said: Any, *, checks_only: bool
    ) -> Import:
        """Keep the upload, begin, and answer how it stands; raises `Invalid` for a file or map that cannot be."""
        chosen = maps.parse(said, self.subjects)
        path = await self._keep(workspace, stream)
        try:
            looked = await asyncio.to_thread(look, path, name, chosen.encoding)
            order = self._order(workspace, path, name, chosen, said, checks_only=checks_only, looked=looked)
            (await asyncio.to_thread(running.open_source, looked, chosen)).close()
            async with self.database.connection() as conn:
                at = await store.begin(conn, workspace.id, running.new(order))
            kept = self._upload(workspace.id, order.id)
            if at.state != "running" or kept.exists():  # done, or under way
                path.unlink()
                return at
            path.rename(kept)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        self._start(self._order(workspace, kept, name, chosen, said, checks_only=checks_only))
        return at

    def rejects(self, workspace: int, id_: bytes) -> Path:
        return self.folder / f"{workspace}-{id_.hex()}.rejected.csv"

    async def resume(self) -> None:
        """Go on with what a restart broke off, where this server has the file."""
        self._spawn(self._resume())

    async def stop(self) -> None:
        """What is under way ends at its last commit."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, workspace: Workspace, stream: AsyncIterator[bytes]) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        await asyncio.to_thread(self._sweep)
        path = self.folder / f"{workspace.id}-{ids.secret('new')}"
        size = 0
        try:
            with path.open("xb") as file:
                async for chunk in stream:
                    size += len(chunk)
                    if size > LARGEST:
                        raise TooLarge(f"the file is over {LARGEST >> 30} GiB: import it with `kizuna import`")
                    file.write(chunk)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    def _sweep(self) -> None:
        for path in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                    path.unlink()

    def _upload(self, workspace: int, id_: bytes) -> Path:
        return self.folder / f"{workspace}-{id_.hex()}"

    def _order(
        self, workspace: Workspace, path: Path, name: str, chosen: Map, said: Any, *, checks_only: bool,
        looked: Any = None,
    ) -> Order:  # fmt: skip
        looked = looked or look(path, name, chosen.encoding)
        order = Order(
            workspace, looked, name, chosen, said, path, MOST_REJECTS, checks_only, self.config.max_event,
            min(50_000, self.config.most_behind // 2),
        )  # fmt: skip
        return replace(order, rejects=self.rejects(workspace.id, order.id))

    def _start(self, order: Order) -> None:
        self._spawn(self._run(order))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, order: Order) -> None:
        async with self._turn:
            try:
                await running.run(self.database, order, lambda _: None)
            except KizunaError as error:  # said in the import's row, unless another one runs it
                logger.info("import_ended", workspace=order.workspace.id, error=str(error))
            except Exception:  # the task's edge: it can be taken up again
                logger.exception("import_broke", workspace=order.workspace.id)
                return
            order.looked.path.unlink(missing_ok=True)

    async def _resume(self) -> None:
        try:
            async with self.database.connection() as conn:
                for number, id_ in await store.running(conn):
                    path = self._upload(number, bytes(id_))
                    workspace = await accounts.workspace(conn, number)
                    at = await store.current(conn, number, bytes(id_))
                    if path.exists() and workspace and at:
                        chosen = maps.parse(at.map)
                        order = await asyncio.to_thread(
                            lambda w, p, a, c: self._order(w, p, a.name, c, a.map, checks_only=a.checks_only),
                            workspace, path, at, chosen,
                        )  # fmt: skip
                        self._start(order)
        except Exception:  # the task's edge: they stay as they are until the next start
            logger.exception("imports_not_resumed")

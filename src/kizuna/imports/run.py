"""Run an import: rows piece by piece into the log, each piece in one commit with how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from kizuna.accounts import store as accounts
from kizuna.consent.accept import outlast_all, stated_of
from kizuna.consent.choose import vetoes_of
from kizuna.consent.obey import vetoes_in
from kizuna.core import ids
from kizuna.core.errors import Conflict, KizunaError, TooMany
from kizuna.engine.append import append_statements
from kizuna.engine.slice import Workspace
from kizuna.events.pressure import Pressure
from kizuna.imports import store
from kizuna.imports.formats import Broken, Looked, Row, Source, open_source
from kizuna.imports.map import Map
from kizuna.imports.piece import Piece, Reject, Translator
from kizuna.imports.rejects import Rejects
from kizuna.imports.store import Import
from kizuna.imports.unproven import refuse
from kizuna.runtime.database import Database

ROWS = 2_000  # of a piece
BYTES = 4 << 20  # of a piece, roughly
FIRST_REJECTS = 10
PAUSE = 0.25  # seconds between looks while the engine is behind
WAITING = "waiting"  # the state told meanwhile; the stored one stays as it is

Tell = Callable[[Import], None]


class Order(Struct, frozen=True):
    """What is to be imported, and where to."""

    workspace: Workspace
    looked: Looked
    name: str
    map: Map
    said: Any  # the map as written
    rejects: Path
    most_rejects: int = 1 << 40  # bytes
    checks_only: bool = False
    max_event: int = 512 << 10
    most_behind: int | None = 50_000  # events not yet folded before it waits; None where nobody folds

    @property
    def id(self) -> bytes:
        """The same file by the same map is the same import."""
        return ids.derive("import", self.looked.digest, self.map.mark, str(self.checks_only))


def new(order: Order) -> Import:
    return Import(order.id, order.name, order.map.kind, "running", order.checks_only, order.said, order.looked.size)


async def check(order: Order, tell: Tell, rejected: list[Reject], now: int) -> Import:
    """A dry run without a trace: what would be taken, and in `rejected` the first that would not."""
    at = new(order)
    source = await asyncio.to_thread(open_source, order.looked, order.map)
    try:
        translator = Translator(order.map, order.workspace, order.looked.digest, order.max_event)
        rows = source.rows()
        while batch := await asyncio.to_thread(_next, rows):
            piece = await asyncio.to_thread(translator.piece, batch, at.rows + 1, now)
            at = _after(at, batch, piece, source)
            rejected += piece.rejected[: FIRST_REJECTS - len(rejected)]
            tell(at)
    finally:
        source.close()
    return replace(at, state="finished")


async def run(database: Database, order: Order, tell: Tell) -> Import:
    """Begin, or go on where the last run ended; one that is finished does nothing. Raises what the file deserves."""
    async with database.connection() as conn:
        at = await store.begin(conn, order.workspace.id, new(order))
    if at.state != "running":
        return at
    try:
        source = await asyncio.to_thread(open_source, order.looked, order.map)
        try:
            return await _run(database, order, at, source, tell)
        finally:
            source.close()
    except KizunaError as error:
        if not isinstance(error, Conflict):
            async with database.connection() as conn:
                await store.fail(conn, order.workspace.id, order.id, str(error))
        raise


async def _run(database: Database, order: Order, at: Import, source: Source, tell: Tell) -> Import:
    translator = Translator(order.map, order.workspace, order.looked.digest, order.max_event)
    rejects = Rejects(order.rejects, source.columns, at.rejects_size, order.most_rejects)
    pressure = Pressure(database, order.most_behind) if order.most_behind is not None else None
    rows = source.rows()
    await asyncio.to_thread(_skip, rows, at.rows)
    while batch := await asyncio.to_thread(_next, rows):
        async with database.connection() as conn:
            now = await accounts.now(conn, order.workspace.id)
        piece = await asyncio.to_thread(translator.piece, batch, at.rows + 1, now)
        async with database.connection() as conn:
            await refuse(conn, order.workspace.id, piece)
        after = replace(
            _after(at, batch, piece, source), rejects_size=await asyncio.to_thread(rejects.add, piece.rejected)
        )
        if pressure is not None:
            await _patiently(pressure, order.workspace.id, lambda at=at: tell(replace(at, state=WAITING)))
        at = await _commit(database, order, at.rows, after, piece)
        tell(at)
    return await _commit(database, order, at.rows, replace(at, state="finished", done=order.looked.size), Piece([], []))


async def _commit(database: Database, order: Order, rows_before: int, after: Import, piece: Piece) -> Import:
    workspace = order.workspace
    async with database.connection() as conn:
        items = [] if order.checks_only else piece.items
        vetoes = (
            [*vetoes_of([(each.item, each.choice) for each in piece.agreed]), *vetoes_in(workspace.id, items)]
            if items
            else []
        )
        if vetoes:
            await conn.execute(*stated_of(workspace.id, vetoes))
        if not await store.advance(conn, workspace.id, rows_before, after):
            raise Conflict("this import is under way elsewhere", code="import_running")
        if items:
            appended: Any = None
            for statement in append_statements(workspace.id, items, workspace.partitions, None):
                appended = await conn.execute(*statement)
            row: Any = await appended.fetchone()
            after = replace(after, position=row[2])
            await store.place(conn, workspace.id, order.id, row[2])
            await conn.execute("NOTIFY kizuna_log")
    await outlast_all(database, workspace.id, vetoes)
    return after


async def _patiently(pressure: Pressure, workspace: int, say: Callable[[], None]) -> None:
    """Wait, and say so, until the engine has caught up: live events must not be told to wait because of an import."""
    while True:
        try:
            return await pressure.check(workspace)
        except TooMany:
            say()
            await asyncio.sleep(PAUSE)


def _next(rows: Any) -> list[Row | Broken]:
    batch: list[Row | Broken] = []
    size = 0
    for row in islice(rows, ROWS):
        batch.append(row)
        size += len(row.raw) if isinstance(row, Broken) else sum(_size(cell) for cell in row.cells.values())
        if size > BYTES:
            break
    return batch


def _size(cell: Any) -> int:
    return len(cell) if isinstance(cell, str | bytes) else 50


def _skip(rows: Any, count: int) -> None:
    for _ in islice(rows, count):
        pass


def _after(at: Import, batch: list[Row | Broken], piece: Piece, source: Source) -> Import:
    return replace(
        at,
        rows=at.rows + len(batch),
        taken=at.taken + piece.taken,
        consents=at.consents + len(piece.agreed),
        rejected=at.rejected + len(piece.rejected),
        done=max(at.done, source.done()),
    )

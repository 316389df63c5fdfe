"""The log folded again, row by row, by the bare folder: no batches, no cache, no crash, no state that can be wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from kizuna.engine.append import ITEMS, PUBLISH, TICK
from kizuna.engine.batch import Publish
from kizuna.engine.moment import FROM_OUTSIDE, ONCE, REMEMBERED, Item, Moment
from kizuna.engine.record import Record, encode_section
from kizuna.engine.slice import Effects, Scope, Slice
from kizuna.engine.state import LogRow
from kizuna.folds import new_folder
from kizuna.testing.simulation.house import Left
from kizuna.testing.simulation.programs import compiled


class Reference:
    """What the log says must have come of it."""

    def __init__(self, folds: Sequence[Slice], left: Left) -> None:
        self.folds = folds
        self.left = left
        self.folder = new_folder(folds)
        self.effects = Effects()
        self.records: dict[bytes, Record] = {}
        self.seen: dict[str, int] = {}
        self.duplicates: set[tuple[int, int, int]] = set()
        self.accepted: set[str] = set()
        for rows in left.rows:
            self.program = 1
            self.mine: dict[bytes, Record] = {}  # of this partition
            for row in rows:
                if row.kind in (ITEMS, TICK, PUBLISH):
                    self.take(row)
            self.records.update(self.mine)

    def take(self, row: LogRow) -> None:
        """What is due before the row happens before it, the row, then what is due with it."""
        if row.kind == PUBLISH:
            publish = msgspec.msgpack.decode(row.body, type=Publish)
            self.fire(row.at, row.root)
            self.program = publish.program
            if publish.sweep:
                self.sweep(publish.sweep, row)
        elif row.kind == ITEMS:
            for index, item in enumerate(row.decode()):
                self.fold(item, row, index)
        self.fire(row.at, row.root)

    def fold(self, item: Item, row: LogRow, index: int) -> None:
        if item.type in ONCE:
            if item.id in self.seen and row.at < self.seen[item.id] + REMEMBERED:
                self.duplicates.add((row.partition, row.offset, index))
                return
            self.seen[item.id] = row.at
        if item.type in FROM_OUTSIDE:
            self.accepted.add(item.id)
        record = self.mine.get(item.profile)
        if record is None:
            sections: dict[str, Any] = {part.name: part.section() for part in self.folds}
            record = self.mine[item.profile] = Record(item.profile, row.partition, sections, is_new=True)
            record.created_at = row.at
        if item.type in FROM_OUTSIDE and item.timestamp > record.seen_at:
            record.seen_at = min(item.timestamp, row.at)
        self.folder.advance(Moment(item, row.at, row.root, index), self.scope(record))
        if record.touched:
            record.is_new = False
        elif record.is_new:
            del self.mine[item.profile]  # it was only looked for

    def fire(self, until: int, root: int) -> None:
        for record in self.mine.values():
            if 0 < record.wake_at <= until:
                self.folder.fire(self.scope(record), until, root)

    def sweep(self, section: str, row: LogRow) -> None:
        for record in self.mine.values():
            if section in record.touched:
                record.sections[section].wake_at = row.at
                self.folder.set_wake(record)
                self.folder.fire(self.scope(record), row.at, row.root)

    def scope(self, record: Record) -> Scope:
        program = compiled(self.folds, self.left.workspace, self.left.definitions, self.program)
        scope = Scope(self.left.workspace, program, self.effects)
        scope.record, record.program = record, self.program
        return scope

    def sections(self, record: Record) -> tuple[bytes | None, ...]:
        return tuple(
            [encode_section(record.sections[p.name]) if p.name in record.touched else None for p in self.folds]
        )

"""A log and its state in memory: what PostgreSQL keeps, kept in dictionaries, for simulations and backtests."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from kizuna.engine.append import APPLIED, Row
from kizuna.engine.moment import REMEMBERED
from kizuna.engine.record import StoredRecord, encode_section
from kizuna.engine.slice import Definition, Workspace
from kizuna.engine.state import FencedError, Head, LogRow, ParkedItem, Written

Writer = Callable[[int, Sequence[Any]], None]  # workspace id, effects of one type


class Stored(Struct):
    """All that a crash would leave of one workspace."""

    workspace: Workspace
    now: int  # what the clock says: rows are stamped with it
    heads: list[Head]
    rows: list[list[LogRow]]  # by partition; offset n lies at n - 1
    definitions: list[Definition]
    records: dict[bytes, StoredRecord]
    seen: dict[bytes, int]
    parked: list[ParkedItem]
    duplicates: set[tuple[int, int, int]]
    counters: dict[str, int]


class Sequencer(Struct):
    """Where the one sequence of positions stands."""

    last: int = 0


class MemoryState:
    """Workspaces by id. A write is held until `commit`, so a batch that dies leaves nothing."""

    def __init__(self, sections: Sequence[str], writers: Mapping[type, Writer] | None = None) -> None:
        self.sections = list(sections)
        self.writers = writers or {}
        self.kept: dict[int, Stored] = {}
        self.sequence = Sequencer()
        self._waiting: list[Callable[[], None]] = []

    @property
    def positions(self) -> int:
        return self.sequence.last

    def connect(self) -> MemoryState:
        """Another connection to the same memory: what one has not committed, the others do not see."""
        other = copy.copy(self)
        other._waiting = []
        return other

    def make(self, workspace: Workspace, now: int = 0) -> Stored:
        heads = [Head(workspace.id, p, 0, 0, 0, 0, 0) for p in range(workspace.partitions)]
        rows: list[list[LogRow]] = [[] for _ in range(workspace.partitions)]
        self.kept[workspace.id] = Stored(workspace, now, heads, rows, [], {}, {}, [], set(), {})
        return self.kept[workspace.id]

    def append(self, workspace: int, rows: Sequence[Row]) -> int:
        """Append as the log does: offsets without holes, times that never fall. Answers the position."""
        kept = self.kept[workspace]
        if any(row.root is None for row in rows):
            self.sequence.last += 1
        for row in rows:
            head = kept.heads[row.partition]
            head.offset, head.at = head.offset + 1, max(head.at, kept.now)
            root = self.positions if row.root is None else row.root
            kept.rows[row.partition].append(
                LogRow(row.partition, head.offset, head.at, root, row.kind, row.body, row.items)
            )
        return self.positions

    # reading ---------------------------------------------------------------------------------------------------------

    def pending_heads(self, partitions: Sequence[int]) -> list[Head]:
        wanted = sorted(partitions)
        heads = [kept.heads[partition] for _, kept in sorted(self.kept.items()) for partition in wanted]
        return [replace(head) for head in heads if head.offset > head.applied]

    def read_rows(self, heads: Sequence[Head], limit: int) -> list[LogRow]:
        found: list[LogRow] = []
        for head in heads:
            rows = self.kept[head.workspace].rows[head.partition][head.applied : head.offset]
            found += [row for row in rows if row.kind != APPLIED][:limit]
        return sorted(found, key=lambda row: (row.partition, row.offset))

    def due_profiles(self, workspace: int, until: Mapping[int, int], limit: int) -> list[tuple[bytes, int]]:
        due = [
            (record.id, record.alarm)
            for record in self.kept[workspace].records.values()
            if record.alarm and record.alarm <= until.get(record.partition, 0)
        ]
        return sorted(due, key=lambda each: (each[1], each[0]))[:limit]

    def next_wakes(self, partitions: Sequence[int]) -> list[tuple[int, int, int]]:
        earliest: dict[tuple[int, int], int] = {}
        for number, kept in self.kept.items():
            if kept.workspace.clock != "live":
                continue
            for record in kept.records.values():
                key = (number, record.partition)
                if record.alarm and record.partition in partitions:
                    earliest[key] = min(earliest.get(key, record.alarm), record.alarm)
        return [(workspace, partition, at) for (workspace, partition), at in sorted(earliest.items())]

    def sweep_profiles(self, workspace: int, partition: int, section: str) -> list[bytes]:
        place = self.sections.index(section)
        records = self.kept[workspace].records.values()
        return sorted(r.id for r in records if r.partition == partition and r.sections[place] is not None)

    def parked_profiles(self, partitions: Sequence[int]) -> set[tuple[int, bytes]]:
        wanted = set(partitions)
        return {(number, p.profile) for number, kept in self.kept.items() for p in kept.parked if p.partition in wanted}

    def parked_items(self, workspace: int, profile: bytes) -> list[ParkedItem]:
        found = [each for each in self.kept[workspace].parked if each.profile == profile]
        return sorted(found, key=lambda each: (each.partition, each.offset, each.index))

    def workspaces(self, partitions: int) -> dict[int, Workspace]:
        return {number: kept.workspace for number, kept in self.kept.items()}

    def definitions(self, workspace: int, program: int) -> list[Definition]:
        found = [each for each in self.kept[workspace].definitions if each.introduced <= program]
        return sorted(found, key=lambda each: (each.introduced, each.kind, each.name))

    def load(self, workspace: int, profiles: Iterable[bytes]) -> list[StoredRecord]:
        records = self.kept[workspace].records
        return [records[profile] for profile in profiles if profile in records]

    def repeated(self, workspace: int, seen: Mapping[bytes, int]) -> set[bytes]:
        known = self.kept[workspace].seen
        old = {key for key, at in seen.items() if key in known and known[key] > at - REMEMBERED}
        self._waiting.append(lambda: known.update({key: at for key, at in seen.items() if key not in old}))
        return old

    # writing ---------------------------------------------------------------------------------------------------------

    def write(self, written: Written) -> None:
        kept = self.kept[written.workspace]
        for head in written.heads:
            if kept.heads[head.partition].batch != head.batch:
                raise FencedError(f"workspace {written.workspace}: another worker folds these partitions")
        self._waiting.append(lambda: self._apply(kept, written, stored))
        stored = [self._stored(kept, record) for record in (*written.new, *written.changed)]

    def _stored(self, kept: Stored, record: Any) -> StoredRecord:
        before = kept.records.get(record.id)
        sections = before.sections if before else (None,) * len(self.sections)
        bodies = tuple(
            encode_section(record.sections[name]) if name in record.touched else body
            for name, body in zip(self.sections, sections, strict=True)
        )
        return StoredRecord(record.id, record.partition, record.created_at, record.seen_at, record.alarm, bodies)

    def _apply(self, kept: Stored, written: Written, stored: Sequence[StoredRecord]) -> None:
        kept.records.update((record.id, record) for record in stored)
        for kind, effects in written.effects.items():
            if kind in self.writers:
                self.writers[kind](written.workspace, effects)
        kept.duplicates.update(written.duplicates)
        kept.parked = [each for each in kept.parked if each.profile not in written.resumed]
        kept.parked.extend(written.parked)
        for name, delta in written.counts.items():
            kept.counters[name] = kept.counters.get(name, 0) + delta
        facts = {row.partition for row in written.rows if row.kind == APPLIED}
        for head in written.heads:
            now = kept.heads[head.partition]
            now.batch, now.program = now.batch + 1, head.program
            now.applied = now.offset + (head.partition in facts) if now.offset == head.applied else head.applied
        rows = sorted(written.rows, key=lambda row: row.kind != APPLIED)
        self.append(written.workspace, rows)

    def commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        for change in waiting:
            change()

    def rollback(self) -> None:
        self._waiting = []

    def refuses(self, error: Exception) -> bool:
        return False

"""The Delta tables of one workspace: their columns, and appending to them exactly once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from arro3.core import Array, RecordBatch, Schema
from deltalake import ColumnProperties, CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from msgspec import json

from kizuna.runtime.lake.columns import Columns
from kizuna.runtime.lake.said import LogRow, columns_of
from kizuna.runtime.lake.schemas import EVENTS, PROFILES

Name = Literal["events", "profiles"]
_SCHEMAS: dict[Name, tuple[Schema, list[str]]] = {"events": (EVENTS, ["month"]), "profiles": (PROFILES, [])}

_SETTINGS: dict[str, str | None] = {
    "delta.checkpointInterval": "50",
    "delta.logRetentionDuration": "interval 1 hours",
    "delta.enableExpiredLogCleanup": "true",
    "delta.deletedFileRetentionDuration": "interval 1 hours",
}
# Questions choose by these; that nobody of a file was merged is known without reading it.
_CHOSEN = ("profile", "type", "event", "timestamp", "logged_at", "partition", "offset", "merged_into")
_REPEATED = ("profile", "type", "event", "partition", "flags", "zone", "locale")  # few values: worth a dictionary
WRITER = WriterProperties(
    compression="ZSTD",
    compression_level=1,
    max_row_group_size=20_000,
    default_column_properties=ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE"),
    column_properties={
        name: ColumnProperties(
            dictionary_enabled=name in _REPEATED, statistics_enabled="CHUNK" if name in _CHOSEN else "NONE"
        )
        for name in {*_CHOSEN, *_REPEATED}
    },
)


def open_table(folder: Path, name: Name) -> DeltaTable | None:
    """The table, or None while nothing was ever archived."""
    path = folder / name
    return DeltaTable(path) if (path / "_delta_log").is_dir() and DeltaTable.is_deltatable(str(path)) else None


def create_table(folder: Path, name: Name) -> DeltaTable:
    schema, partition_by = _SCHEMAS[name]
    path = folder / name
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return DeltaTable.create(path, schema, mode="ignore", partition_by=partition_by, configuration=_SETTINGS)


def offset_in(found: DeltaTable, partition: int) -> int:
    """The newest log row of a partition that the table holds: its own word, committed with the rows."""
    return found.transaction_version(f"p{partition}") or 0


def offsets(
    found: DeltaTable, path: Path, partitions: Iterable[int], before: Mapping[int, int], since: int | None
) -> dict[int, int]:
    """As `offset_in` for all: what was known at version `since`, and what the commits after it say."""
    if since is not None:
        try:
            return dict(before) | _said_by_commits(path, range(since + 1, found.version() + 1))
        except FileNotFoundError:
            pass  # old commits are cleaned away: ask for each, which takes a millisecond a partition
    return {partition: offset for partition in partitions if (offset := offset_in(found, partition))}


def _said_by_commits(path: Path, versions: Iterable[int]) -> dict[int, int]:
    held: dict[int, int] = {}
    for version in versions:
        with (path / "_delta_log" / f"{version:020}.json").open("rb") as actions:
            for line in actions:
                if line.startswith(b'{"txn"'):
                    said = json.decode(line)["txn"]
                    held[int(said["appId"].removeprefix("p"))] = said["version"]
    return held


class Writer:
    """Appends to both tables of one workspace. One writer at a time; a second one fails at its commit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events = open_table(folder, "events") or create_table(folder, "events")
        self.profiles = open_table(folder, "profiles") or create_table(folder, "profiles")
        self._held: dict[int, int] = {}
        self._changes: dict[int, int] = {}  # the same of `profiles`

    def held(self, partition: int) -> int:
        """The newest log row of the partition that needs no archiving."""
        if partition not in self._held:
            self._held[partition] = offset_in(self.events, partition)
        return self._held[partition]

    def append(self, rows: Sequence[LogRow], reached: Mapping[int, int]) -> int:
        """Commit what the rows say; `reached` is the offset read to, by partition. Says how many items went in.

        Profiles go first: should we die between the two commits, the next turn skips what they already hold.
        """
        return self.commit(self.columns(rows), reached)

    def columns(self, rows: Iterable[LogRow]) -> Columns:
        """What the rows say that the events do not hold yet."""
        return columns_of(row for row in rows if row.offset > self.held(row.partition))

    def commit(self, columns: Columns, reached: Mapping[int, int]) -> int:
        self._append_changes(columns)
        if columns.count:
            _commit(self.events, columns.events, reached)
            self._held.update(reached)
        return columns.count

    def _append_changes(self, columns: Columns) -> None:
        partitions, offsets = (columns.changes[name].to_numpy() for name in ("partition", "offset"))
        held = {partition: self._held_changes(partition) for partition in np.unique(partitions).tolist()}
        fresh = np.flatnonzero(offsets > np.array([held[partition] for partition in partitions.tolist()], np.int64))
        if len(fresh):
            reached = {partition: int(offsets[partitions == partition].max()) for partition in held}
            reached = {partition: offset for partition, offset in reached.items() if offset > held[partition]}
            _commit(self.profiles, columns.changes.take(Array.from_numpy(fresh)), reached)
            self._changes.update(reached)

    def _held_changes(self, partition: int) -> int:
        if partition not in self._changes:
            self._changes[partition] = offset_in(self.profiles, partition)
        return self._changes[partition]


def _commit(found: DeltaTable, rows: RecordBatch, reached: Mapping[int, int]) -> None:
    transactions = [Transaction(f"p{partition}", offset) for partition, offset in sorted(reached.items())]
    write_deltalake(
        found,
        rows,
        mode="append",
        writer_properties=WRITER,
        commit_properties=CommitProperties(app_transactions=transactions, max_commit_retries=0),
    )

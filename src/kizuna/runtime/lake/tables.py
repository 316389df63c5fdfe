"""The Delta tables of one workspace: their columns, and appending to them exactly once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from arro3.core import Array, DataType, Field, Schema, Table
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from msgspec import json

from kizuna.runtime.lake.said import Columns, LogRow, columns_of

_TEXT, _LONG, _INT = DataType.utf8(), DataType.int64(), DataType.int32()

EVENTS = Schema(
    [
        Field("profile", _TEXT),  # the outer id it was said to; `identity` leads to whom that is now
        Field("partition", _INT),
        Field("offset", _LONG),
        Field("index", _INT),
        Field("id", _TEXT),
        Field("type", _TEXT),
        Field("event", _TEXT),
        Field("timestamp", _LONG),
        Field("received_at", _LONG),
        Field("logged_at", _LONG),
        Field("properties", _TEXT),
        Field("context", _TEXT),
        Field("user_id", _TEXT),
        Field("anonymous_id", _TEXT),
        Field("caused_by", _TEXT),
        Field("flags", _INT),
        Field("month", _TEXT),  # UTC month of `timestamp`: the partition column
    ]
)
PROFILES = Schema(
    [
        Field("profile", _TEXT),
        Field("merged_into", _TEXT),  # set: this profile is from now on that one
        Field("traits", _TEXT),
        Field("zone", _TEXT),
        Field("locale", _TEXT),
        Field("user_id", _TEXT),
        Field("timestamp", _LONG),
        Field("logged_at", _LONG),
        Field("partition", _INT),
        Field("offset", _LONG),
        Field("index", _INT),
    ]
)
Name = Literal["events", "profiles"]
_SCHEMAS: dict[Name, tuple[Schema, list[str]]] = {"events": (EVENTS, ["month"]), "profiles": (PROFILES, [])}

_SETTINGS: dict[str, str | None] = {
    "delta.checkpointInterval": "50",
    "delta.logRetentionDuration": "interval 1 hours",
    "delta.enableExpiredLogCleanup": "true",
    "delta.deletedFileRetentionDuration": "interval 1 hours",
}
_WRITER = WriterProperties(compression="ZSTD", compression_level=1, max_row_group_size=20_000)


def table(schema: Schema, columns: Sequence[Sequence[Any]]) -> Table:
    """Python columns as Arrow; a column of text may come as UTF-8 bytes."""
    arrays = [_array(values, schema.field(place).type) for place, values in enumerate(columns)]
    return Table.from_arrays(arrays, schema=schema)


def _array(values: Sequence[Any], kind: DataType) -> Array:
    if kind == _TEXT and isinstance(next((value for value in values if value is not None), None), bytes):
        return Array(values, type=DataType.binary()).cast(_TEXT)
    return Array(values, type=kind)


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

    def held(self, partition: int) -> int:
        """The newest log row of the partition that needs no archiving."""
        if partition not in self._held:
            self._held[partition] = offset_in(self.events, partition)
        return self._held[partition]

    def append(self, rows: Sequence[LogRow], reached: Mapping[int, int]) -> int:
        """Commit what the rows say; `reached` is the offset read to, by partition. Says how many items went in.

        Profiles go first: should we die between the two commits, the next turn skips what they already hold.
        """
        columns = columns_of(row for row in rows if row.offset > self.held(row.partition))
        self._append_changes(columns)
        count = len(columns.events) + len(columns.changes)
        if count:
            events = columns.event_table()
            columns.clear()  # Python's copy of a commit is several times the size of Arrow's
            _commit(self.events, events, reached)
            self._held.update(reached)
        return count

    def _append_changes(self, columns: Columns) -> None:
        newest: dict[int, int] = {}
        for change in columns.changes:
            newest[change[2]] = max(newest.get(change[2], 0), change[3])
        held = {partition: offset_in(self.profiles, partition) for partition in newest}
        fresh = Columns()
        fresh.changes = [change for change in columns.changes if change[3] > held[change[2]]]
        if fresh.changes:
            reached = {partition: offset for partition, offset in newest.items() if offset > held[partition]}
            _commit(self.profiles, fresh.profile_table(), reached)


def _commit(found: DeltaTable, rows: Table, reached: Mapping[int, int]) -> None:
    transactions = [Transaction(f"p{partition}", offset) for partition, offset in sorted(reached.items())]
    write_deltalake(
        found,
        rows,
        mode="append",
        writer_properties=_WRITER,
        commit_properties=CommitProperties(app_transactions=transactions, max_commit_retries=0),
    )

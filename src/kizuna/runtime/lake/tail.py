"""The end of the log that the lake does not hold yet, as columns: read once, kept until archived."""

# ruff: noqa: S608  (SQL is put together from this file's own text; values are parameters)

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from kizuna.core.errors import Unavailable
from kizuna.runtime.lake.said import LogRow, columns_of

if TYPE_CHECKING:
    from arro3.core import RecordBatch

MOST_ITEMS, MOST_BYTES = 400_000, 192 << 20  # a longer tail means that the archiver stands still

# Rows up to `applied` are folded; facts (kind 1) are true from their commit on, even where older rows still wait.
_ROWS = """
FROM log_head h
LEFT JOIN unnest(%(partitions)s::smallint[], %(offsets)s::bigint[]) AS known (partition, "offset")
     ON known.partition = h.partition
JOIN log l ON l.workspace = h.workspace AND l.partition = h.partition AND l."offset" > coalesce(known."offset", 0)
     AND ((l."offset" <= h.applied AND l.kind IN (0, 1)) OR l.kind = 1)
WHERE h.workspace = %(workspace)s AND h."offset" > coalesce(known."offset", 0)
"""
SIZE = f"SELECT coalesce(sum(l.items), 0)::bigint, coalesce(sum(octet_length(l.body)), 0)::bigint {_ROWS}"
READ = f"""
SELECT h.partition, h.applied, l."offset", l.at, l.body,
       ARRAY(SELECT d.index FROM duplicate d
             WHERE d.workspace = l.workspace AND d.partition = l.partition AND d."offset" = l."offset") AS duplicates
{_ROWS} ORDER BY l.partition, l."offset"
"""


class Chunk(Struct, frozen=True):
    """Some rows of the log, decoded."""

    events: list[RecordBatch]
    changes: list[RecordBatch]
    items: int
    newest: dict[int, int]  # by partition


class Tail:
    """What was read of one workspace's log, by chunk; chunks the lake has caught up with are dropped."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.known: dict[int, int] = {}
        self._ahead: list[Chunk] = []

    def question(self, workspace: int, archived: Mapping[int, int]) -> dict[str, Any]:
        """The parameters of `READ`: what is newer than lake and chunks together."""
        self.chunks = [c for c in self.chunks if any(n > archived.get(p, 0) for p, n in c.newest.items())]
        for partition, offset in archived.items():
            self.known[partition] = max(self.known.get(partition, 0), offset)
        partitions = sorted(self.known)
        return {
            "workspace": workspace,
            "partitions": partitions,
            "offsets": [self.known[partition] for partition in partitions],
        }

    def allow(self, size: tuple[int, int]) -> None:
        """Refuse, before it is read, what would not fit into memory; `size` is the answer to `SIZE`."""
        if sum(chunk.items for chunk in self.chunks) + size[0] > MOST_ITEMS or size[1] > MOST_BYTES:
            raise Unavailable("the lake is far behind the log; ask again later", retry_after=10, code="lake_behind")

    def take(self, rows: Iterable[tuple[Any, ...]]) -> bool:
        """Add the answer to `READ`; says whether the tail changed."""
        folded: list[LogRow] = []
        ahead: list[LogRow] = []
        newest: dict[int, int] = {}
        for partition, applied, offset, at, body, duplicates in rows:
            (folded if offset <= applied else ahead).append(LogRow(partition, offset, at, body, duplicates))
            if offset <= applied:
                newest[partition] = offset
        was_ahead = bool(self._ahead)
        self._ahead = [_chunk(ahead, {})] if ahead else []
        if newest:
            self.known.update(newest)
            self.chunks.append(_chunk(folded, newest))
        if len(self.chunks) > 64:
            self.chunks = [_joined(self.chunks)]
        return bool(newest or self._ahead or was_ahead)

    def tables(self) -> tuple[Any, Any]:
        """All of it as two Arrow tables."""
        from arro3.core import Table

        from kizuna.runtime.lake.schemas import EVENTS, PROFILES

        joined = _joined([*self.chunks, *self._ahead])
        return (
            Table.from_batches(joined.events, schema=EVENTS),
            Table.from_batches(joined.changes, schema=PROFILES),
        )


def _chunk(rows: Iterable[LogRow], newest: dict[int, int]) -> Chunk:
    columns = columns_of(rows)
    return Chunk([columns.events], [columns.changes], columns.count, newest)


def _joined(chunks: list[Chunk]) -> Chunk:
    newest: dict[int, int] = {}
    for chunk in chunks:
        for partition, offset in chunk.newest.items():
            newest[partition] = max(newest.get(partition, 0), offset)
    return Chunk(
        [batch for chunk in chunks for batch in chunk.events],
        [batch for chunk in chunks for batch in chunk.changes],
        sum(chunk.items for chunk in chunks),
        newest,
    )

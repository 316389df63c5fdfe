"""Appending to the log without holes: offsets are taken under the head locks, at the end of the transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, LiteralString

import msgspec
from msgspec import Struct

from kizuna.core.ids import partition_of
from kizuna.engine.moment import Item

ITEMS, APPLIED, TICK, PUBLISH = 0, 1, 2, 3

_encode = msgspec.msgpack.encode

Statement = tuple[LiteralString, Any]


class Row(Struct, frozen=True):
    """A row to be: some items of one partition, folded (or known to be applied) together."""

    partition: int
    kind: int
    items: int
    keys: bytes
    body: bytes
    root: int | None = None  # None: a new position is taken


# Heads are locked in ascending partition order, so that two appends never wait for each other in a ring.
LOCK_HEADS: Final = """
SELECT FROM log_head WHERE workspace = %(workspace)s AND partition = ANY(%(partitions)b::smallint[])
ORDER BY partition FOR UPDATE
"""

# Columns that are the same in all rows (the first of its partition, items, at a new position) come empty: `unnest`
# fills the shorter arrays with nulls.
APPEND: Final = """
WITH position AS MATERIALIZED (SELECT CASE WHEN %(fresh)s THEN nextval('position') END AS root),
clock AS (
    SELECT CASE clock WHEN 'test' THEN now ELSE (extract(epoch FROM clock_timestamp()) * 1000000)::bigint END AS now
    FROM workspace WHERE id = %(workspace)s
),
head AS (
    UPDATE log_head h SET "offset" = h."offset" + coalesce(grown.by, 1), at = greatest(h.at, clock.now)
    FROM unnest(%(partitions)b::smallint[], %(by)b::integer[]) AS grown (partition, by), clock
    WHERE h.workspace = %(workspace)s AND h.partition = grown.partition
    RETURNING h.partition, h."offset" - coalesce(grown.by, 1) AS base, h.at
)
INSERT INTO log (workspace, partition, "offset", at, root, kind, items, keys, body)
SELECT %(workspace)s, partition, base + coalesce(nth, 1), at, coalesce(new.root, position.root), coalesce(kind, 0),
       items, keys, body
FROM unnest(%(rows)b::smallint[], %(nth)b::integer[], %(kinds)b::smallint[], %(items)b::integer[], %(keys)b::bytea[],
            %(bodies)b::bytea[], %(roots)b::bigint[]) AS new (partition, nth, kind, items, keys, body, root)
     JOIN head USING (partition), position
RETURNING partition, "offset", root
"""


def rows_of(items: Iterable[Item], partitions: int, *, kind: int = ITEMS, root: int | None = None) -> list[Row]:
    """One row per partition, items in the order given."""
    grouped: defaultdict[int, list[Item]] = defaultdict(list)
    for item in items:
        grouped[partition_of(item.profile, partitions)].append(item)
    return [row_of(partition, group, kind=kind, root=root) for partition, group in grouped.items()]


def row_of(partition: int, items: Sequence[Item], *, kind: int = ITEMS, root: int | None = None) -> Row:
    keys = b"".join([item.profile[:8] for item in items])
    return Row(partition, kind, len(items), keys, _encode(items), root)


def append_rows(workspace: int, rows: Sequence[Row]) -> list[Statement]:
    """The statements that append `rows` at the end of a transaction; the last answers (partition, offset, root)."""
    return [lock_heads(workspace, {row.partition for row in rows}), append_locked(workspace, rows)]


def lock_heads(workspace: int, partitions: Iterable[int]) -> Statement:
    return LOCK_HEADS, {"workspace": workspace, "partitions": sorted(partitions)}


def append_locked(workspace: int, rows: Sequence[Row]) -> Statement:
    """The append proper; the heads must be locked. Rows of one partition keep their order."""
    grown: dict[int, int] = {}
    nth: list[int] = []
    for row in rows:
        grown[row.partition] = grown.get(row.partition, 0) + 1
        nth.append(grown[row.partition])
    is_one_each = len(grown) == len(rows)
    return APPEND, {
        "workspace": workspace,
        "fresh": any(row.root is None for row in rows),
        "partitions": list(grown),
        "by": [] if is_one_each else list(grown.values()),
        "rows": [row.partition for row in rows],
        "nth": [] if is_one_each else nth,
        "kinds": [row.kind for row in rows] if any(row.kind != ITEMS for row in rows) else [],
        "items": [row.items for row in rows],
        "keys": [row.keys for row in rows],
        "bodies": [row.body for row in rows],
        "roots": [row.root for row in rows] if any(row.root is not None for row in rows) else [],
    }


def append_statements(workspace: int, items: Sequence[Item], partitions: int, root: int | None) -> list[Statement]:
    """As `append_rows` for items still to be folded."""
    return append_rows(workspace, rows_of(items, partitions, root=root))

"""Appending to the log without holes: offsets are taken under the head locks, at the end of the transaction."""

from __future__ import annotations

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

APPEND: Final = """
WITH position AS MATERIALIZED (SELECT CASE WHEN %(fresh)s THEN nextval('position') END AS root),
clock AS (
    SELECT CASE clock WHEN 'test' THEN now ELSE (extract(epoch FROM clock_timestamp()) * 1000000)::bigint END AS now
    FROM workspace WHERE id = %(workspace)s
),
new AS (
    SELECT *, row_number() OVER (PARTITION BY partition ORDER BY place) AS nth
    FROM unnest(%(rows)b::smallint[], %(kinds)b::smallint[], %(items)b::integer[], %(keys)b::bytea[],
                %(bodies)b::bytea[], %(roots)b::bigint[])
         WITH ORDINALITY AS n (partition, kind, items, keys, body, root, place)
),
head AS (
    UPDATE log_head h SET "offset" = h."offset" + grown.by, at = greatest(h.at, clock.now)
    FROM (SELECT partition, count(*) AS by FROM new GROUP BY partition) grown, clock
    WHERE h.workspace = %(workspace)s AND h.partition = grown.partition
    RETURNING h.partition, h."offset" - grown.by AS base, h.at
)
INSERT INTO log (workspace, partition, "offset", at, root, kind, items, keys, body)
SELECT %(workspace)s, partition, base + nth, at, coalesce(new.root, position.root), kind, items, keys, body
FROM head JOIN new USING (partition), position
RETURNING partition, "offset", root
"""


def rows_of(items: Iterable[Item], partitions: int, *, kind: int = ITEMS, root: int | None = None) -> list[Row]:
    """One row per partition, items in the order given."""
    grouped: dict[int, list[Item]] = {}
    for item in items:
        grouped.setdefault(partition_of(item.profile, partitions), []).append(item)
    return [row_of(partition, group, kind=kind, root=root) for partition, group in grouped.items()]


def row_of(partition: int, items: Sequence[Item], *, kind: int = ITEMS, root: int | None = None) -> Row:
    keys = b"".join(item.profile[:8] for item in items)
    return Row(partition, kind, len(items), keys, _encode(items), root)


def append_rows(workspace: int, rows: Sequence[Row]) -> list[Statement]:
    """The statements that append `rows` at the end of a transaction; the last answers (partition, offset, root)."""
    return [lock_heads(workspace, {row.partition for row in rows}), append_locked(workspace, rows)]


def lock_heads(workspace: int, partitions: Iterable[int]) -> Statement:
    return LOCK_HEADS, {"workspace": workspace, "partitions": sorted(partitions)}


def append_locked(workspace: int, rows: Sequence[Row]) -> Statement:
    """The append proper; the heads must be locked. Rows of one partition keep their order."""
    return APPEND, {
        "workspace": workspace,
        "fresh": any(row.root is None for row in rows),
        "rows": [row.partition for row in rows],
        "kinds": [row.kind for row in rows],
        "items": [row.items for row in rows],
        "keys": [row.keys for row in rows],
        "bodies": [row.body for row in rows],
        "roots": [row.root for row in rows],
    }


def append_statements(workspace: int, items: Sequence[Item], partitions: int, root: int | None) -> list[Statement]:
    """As `append_rows` for items still to be folded."""
    return append_rows(workspace, rows_of(items, partitions, root=root))

"""Reading the log in its order: as many rows as are worth taking together. For all who follow it from a place on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from psycopg import Connection

from kizuna.runtime.lake.said import LogRow

ROWS_AT_ONCE = 500  # of one partition


class Reach(Struct, frozen=True):
    """Some rows to be taken together, and how far each partition is then read."""

    rows: list[LogRow]
    offsets: dict[int, int]
    is_all: bool  # nothing more was there when we looked


def read(
    connection: Connection[Any],
    workspace: int,
    since: Mapping[int, int],
    until: Mapping[int, int],
    most_items: int,
    most_bytes: int,
) -> Reach:
    """The oldest rows with items after `since` and up to `until`, by partition; at least one where there is any."""
    asked = [list(until), [since[p] for p in until], list(until.values()), workspace, ROWS_AT_ONCE]
    offsets: dict[int, int] = dict(connection.execute(_REACHED, [*asked, most_items, most_bytes]).fetchall())
    is_all = all(offsets.get(p, since[p]) >= reached for p, reached in until.items()) or not offsets
    return Reach(rows(connection, workspace, since, offsets), offsets, is_all)


def rows(
    connection: Connection[Any], workspace: int, since: Mapping[int, int], until: Mapping[int, int]
) -> list[LogRow]:
    """All rows with items between the two, by partition."""
    asked = [list(until), [since[p] for p in until], list(until.values()), workspace]
    duplicates: dict[tuple[int, int], list[int]] = {}
    for partition, offset, index in connection.execute(_DUPLICATES, asked):
        duplicates.setdefault((partition, offset), []).append(index)
    return [
        LogRow(partition, offset, at, body, duplicates.get((partition, offset), ()))
        for partition, offset, at, body in connection.execute(_BODIES, asked)
    ]


# How far each partition is read: as many rows in the order of the log as one commit takes, and at least one.
_REACHED = """
SELECT partition, max("offset") FROM (
    SELECT l.partition, l."offset", row_number() OVER place AS place,
           sum(l.items) OVER place AS items, sum(l.bytes) OVER place AS bytes
    FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS w (partition, since, until)
    CROSS JOIN LATERAL (
        SELECT partition, "offset", at, CASE WHEN kind IN (0, 1) THEN items ELSE 0 END AS items,
               octet_length(body) AS bytes
        FROM log WHERE workspace = %s AND partition = w.partition AND "offset" > w.since AND "offset" <= w.until
        ORDER BY "offset" LIMIT %s
    ) l
    WINDOW place AS (ORDER BY l.at, l.partition, l."offset" ROWS UNBOUNDED PRECEDING)
) ahead WHERE place = 1 OR (items <= %s AND bytes <= %s) GROUP BY partition
"""

_BODIES = """
SELECT l.partition, l."offset", l.at, l.body
FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS w (partition, since, until)
JOIN log l ON l.partition = w.partition AND l."offset" > w.since AND l."offset" <= w.until
WHERE l.workspace = %s AND l.kind IN (0, 1)
"""

_DUPLICATES = """
SELECT d.partition, d."offset", d.index
FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS w (partition, since, until)
JOIN duplicate d ON d.partition = w.partition AND d."offset" > w.since AND d."offset" <= w.until
WHERE d.workspace = %s
"""

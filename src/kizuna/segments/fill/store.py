"""SQL of fills: what was asked for, how far the log is folded, who is to be told."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import Connection


class Asked(Struct, frozen=True):
    """A publish that wants existing profiles judged; `offsets` are of its rows, by partition."""

    workspace: int
    program: int
    root: int
    offsets: list[int]
    kind: str


def next_asked(connection: Connection[Any]) -> Asked | None:
    """The oldest publish still waiting of any workspace whose rows are folded, locked until the transaction ends."""
    row = connection.execute(
        """SELECT f.workspace, f.program, f.root, f.offsets, f.kind FROM fill f WHERE f.state = 'waiting'
           AND NOT EXISTS (SELECT FROM fill e WHERE e.workspace = f.workspace AND e.state = 'waiting'
                           AND e.program < f.program)
           AND NOT EXISTS (SELECT FROM log_head h WHERE h.workspace = f.workspace
                           AND h.applied < f.offsets[h.partition + 1])
           ORDER BY f.workspace, f.program LIMIT 1 FOR UPDATE SKIP LOCKED"""
    ).fetchone()
    return Asked(*row) if row else None


def is_any_waiting(connection: Connection[Any]) -> bool:
    row = connection.execute("SELECT EXISTS (SELECT FROM fill WHERE state = 'waiting')").fetchone()
    return bool(row and row[0])


def finish(connection: Connection[Any], asked: Asked) -> None:
    connection.execute(
        "UPDATE fill SET state = 'done' WHERE workspace = %s AND program = %s", [asked.workspace, asked.program]
    )


def now(connection: Connection[Any], workspace: int) -> int:
    row = connection.execute(
        """SELECT CASE clock WHEN 'test' THEN now ELSE (extract(epoch FROM clock_timestamp()) * 1000000)::bigint END
           FROM workspace WHERE id = %s""",
        [workspace],
    ).fetchone()
    assert row  # noqa: S101
    return row[0]


def published_at(connection: Connection[Any], workspace: int, program: int) -> int:
    """When the program came to rule: what is dated later is folded at its own time, not part of history."""
    row = connection.execute(
        "SELECT max(published_at) FROM definition WHERE workspace = %s AND introduced = %s", [workspace, program]
    ).fetchone()
    return row[0] if row and row[0] is not None else now(connection, workspace)


def profiles(connection: Connection[Any], workspace: int, partition: int) -> list[bytes]:
    """All profile ids of a partition, pointers too: a fill for a merged record is forwarded."""
    rows = connection.execute(
        "SELECT id FROM profile WHERE workspace = %s AND partition = %s ORDER BY id", [workspace, partition]
    ).fetchall()
    return [bytes(row[0]) for row in rows]


# History before the publish, under the ids of that moment: a record merged before it is part of its survivor,
# one merged later gets a fill of its own, which is forwarded.
_MERGED = """
SELECT c.profile, c.merged_into FROM changes c JOIN before b ON b.partition = c.partition
WHERE c.merged_into IS NOT NULL AND c."offset" < b."offset"
"""

PAST = f"""
WITH RECURSIVE before AS (
    SELECT unnest(range(len($offsets))) AS partition, unnest($offsets) AS "offset"
), merged AS ({_MERGED}), walk AS (
    SELECT profile, merged_into AS owner, 1 AS depth FROM merged
    UNION ALL
    SELECT w.profile, m.merged_into, w.depth + 1 FROM walk w JOIN merged m ON m.profile = w.owner WHERE w.depth < 64
), owner AS (SELECT profile, arg_max(owner, depth) AS owner FROM walk GROUP BY profile)
SELECT coalesce(o.owner, e.said_to), e.event, e.timestamp, e.arrival, e.properties, e.logged_at
FROM events e JOIN before b ON b.partition = e.partition LEFT JOIN owner o ON o.profile = e.said_to
WHERE e."offset" < b."offset" AND e.event IN (SELECT unnest($names))
AND e.type IN ('track', 'page', 'screen', 'fact', 'report')
ORDER BY 1, e.timestamp, e.arrival
"""  # noqa: S608

GONE = f"""
WITH before AS (SELECT unnest(range(len($offsets))) AS partition, unnest($offsets) AS "offset")
{_MERGED}
"""

ZONES = "SELECT profile, zone FROM profiles WHERE zone IS NOT NULL"

"""All SQL of the log seen from outside: rejections, positions, definitions, clocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from kizuna.engine.append import PUBLISH, Row, Statement, append_rows
from kizuna.events.wires import Refused


def reject_statement(workspace: int, source: str, refused: Sequence[Refused]) -> Statement:
    return (
        """INSERT INTO rejected (workspace, at, code, message, source, body)
           SELECT w.id, CASE w.clock WHEN 'test' THEN w.now
                        ELSE (extract(epoch FROM clock_timestamp()) * 1000000)::bigint END, code, message, %s, body
           FROM unnest(%s::text[], %s::text[], %s::bytea[]) AS new (code, message, body), workspace w
           WHERE w.id = %s""",
        [
            source,
            [r.code for r in refused],
            [r.message for r in refused],
            [r.body for r in refused],
            workspace,
        ],
    )


async def rejected(conn: AsyncConnection[Any], workspace: int, before: int, limit: int) -> list[tuple[Any, ...]]:
    found = await conn.execute(
        """SELECT id, at, code, message, source, substr(body, 1, 65536) FROM rejected
           WHERE workspace = %s AND id < %s ORDER BY id DESC LIMIT %s""",
        [workspace, before, limit],
    )
    return await found.fetchall()


async def refused_again(
    conn: AsyncConnection[Any], workspace: int, only: Sequence[int] | None, code: str | None, after: int, limit: int
) -> list[tuple[int, int, str, bytes]]:
    """(id, at, source, body) of tracking events, oldest first; no more than 32 MiB, at least one."""
    found = await conn.execute(
        """SELECT id, at, source, body FROM rejected JOIN (
               SELECT id, sum(octet_length(body)) OVER (ORDER BY id) - octet_length(body) AS before FROM (
                   SELECT id, body FROM rejected WHERE workspace = %(workspace)s AND id > %(after)s
                   AND source LIKE 'segment%%' AND (%(only)s::bigint[] IS NULL OR id = ANY(%(only)s::bigint[]))
                   AND (%(code)s::text IS NULL OR code = %(code)s) ORDER BY id LIMIT %(limit)s
               ) page
           ) sized USING (id) WHERE workspace = %(workspace)s AND before < 33554432 ORDER BY id""",
        {"workspace": workspace, "only": only, "code": code, "after": after, "limit": limit},
    )
    return await found.fetchall()


def taken_statement(workspace: int, taken: Sequence[int]) -> Statement:
    """Forget refusals whose events are appended in the same transaction."""
    return "DELETE FROM rejected WHERE workspace = %s AND id = ANY(%s::bigint[])", [workspace, list(taken)]


async def next_position(conn: AsyncConnection[Any]) -> int:
    row = await (await conn.execute("SELECT nextval('position')")).fetchone()
    assert row  # noqa: S101
    return row[0]


async def last_position(conn: AsyncConnection[Any]) -> int:
    row = await (await conn.execute("SELECT last_value FROM position")).fetchone()
    assert row  # noqa: S101
    return row[0]


async def is_settled(conn: AsyncConnection[Any], workspace: int, position: int) -> bool:
    """Whether nothing that follows from writes up to `position` is unfinished; one statement, so one moment.

    What is paused waits for its resume, not we for it.
    """
    row = await (
        await conn.execute(
            """SELECT NOT EXISTS (
                   SELECT FROM log_head h CROSS JOIN LATERAL (
                       SELECT FROM log l WHERE l.workspace = h.workspace AND l.partition = h.partition
                       AND l."offset" > h.applied AND l.kind <> 1 AND l.root <= %(position)s LIMIT 1
                   ) open WHERE h.workspace = %(workspace)s AND h."offset" > h.applied)
               AND NOT EXISTS (
                   SELECT FROM fill WHERE workspace = %(workspace)s AND state = 'waiting' AND root <= %(position)s)
               AND NOT EXISTS (
                   SELECT FROM launch l JOIN workspace w ON w.id = l.workspace
                   WHERE l.workspace = %(workspace)s AND l.position <= %(position)s
                   AND (l.state IN ('gathering', 'handing')
                        OR l.state = 'scheduled' AND l.due_at <= CASE w.clock WHEN 'test' THEN w.now
                           ELSE (extract(epoch FROM clock_timestamp()) * 1000000)::bigint END)
                   AND l.campaign <> ALL(ARRAY(
                       SELECT name FROM definition WHERE workspace = %(workspace)s AND kind = 'campaign'
                       AND retired IS NULL AND status = 'paused')))
               AND NOT EXISTS (
                   SELECT FROM message m JOIN workspace w ON w.id = m.workspace
                   WHERE m.workspace = %(workspace)s AND m.root <= %(position)s
                   AND m.state IN ('planned', 'claimed', 'handed')
                   AND NOT EXISTS (SELECT FROM installation WHERE sending_locked_at IS NOT NULL)
                   AND m.due_at <= CASE w.clock WHEN 'test' THEN w.now
                                   ELSE (extract(epoch FROM clock_timestamp()) * 1000000)::bigint END
                   AND NOT (m.campaign IS NOT NULL AND m.campaign = ANY(ARRAY(
                       SELECT name FROM definition WHERE workspace = %(workspace)s AND kind = 'campaign'
                       AND retired IS NULL AND status = 'paused')))
                   AND NOT (m.journey IS NOT NULL AND m.journey = ANY(ARRAY(
                       SELECT name FROM definition WHERE workspace = %(workspace)s AND kind = 'journey'
                       AND retired IS NULL AND status = 'paused')))
                   AND NOT (NOT m.transactional AND m.channel = ANY(ARRAY(
                       SELECT name FROM definition WHERE workspace = %(workspace)s AND kind = 'sending'
                       AND retired IS NULL AND status = 'paused')))
                   AND NOT EXISTS (
                       SELECT FROM definition d WHERE d.workspace = m.workspace AND d.kind = 'provider'
                       AND d.retired IS NULL AND d.body ->> 'channel' = m.channel
                       AND d.body ->> 'kind' <> 'outbox'))""",
            {"workspace": workspace, "position": position},
        )
    ).fetchone()
    return bool(row and row[0])


async def items_behind(conn: AsyncConnection[Any], workspace: int) -> int:
    """Items accepted and not yet folded."""
    row = await (
        await conn.execute(
            """SELECT coalesce(sum(l.items), 0)::bigint FROM log_head h JOIN log l
               ON l.workspace = h.workspace AND l.partition = h.partition AND l."offset" > h.applied AND l.kind = 0
               WHERE h.workspace = %s AND h."offset" > h.applied""",
            [workspace],
        )
    ).fetchone()
    return row[0] if row else 0


# definitions --------------------------------------------------------------------------------------------------------


async def next_program(conn: AsyncConnection[Any], workspace: int) -> int:
    """The next program version; publishes of a workspace go one by one."""
    row = await (
        await conn.execute("UPDATE workspace SET program = program + 1 WHERE id = %s RETURNING program", [workspace])
    ).fetchone()
    assert row  # noqa: S101
    return row[0]


async def replace_definition(
    conn: AsyncConnection[Any], workspace: int, program: int, kind: str, name: str, body: dict[str, Any] | None,
    status: str, at: int,
) -> int | None:  # fmt: skip
    """Retire what rules under this name and introduce `body`; its version, or None when there is neither."""
    row = await (
        await conn.execute(
            """UPDATE definition SET retired = %s WHERE workspace = %s AND kind = %s AND name = %s AND retired IS NULL
               RETURNING version, body""",
            [program, workspace, kind, name],
        )
    ).fetchone()
    if body is None:
        return row[0] if row else None
    newest = await (
        await conn.execute(
            "SELECT coalesce(max(version), 0) FROM definition WHERE workspace = %s AND kind = %s AND name = %s",
            [workspace, kind, name],
        )
    ).fetchone()
    assert newest  # noqa: S101
    same = row is not None and msgspec.json.encode(row[1], order="sorted") == msgspec.json.encode(body, order="sorted")
    version = row[0] if row and same else newest[0] + 1
    await conn.execute(
        """INSERT INTO definition (workspace, kind, name, version, status, body, introduced, published_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
        [workspace, kind, name, version, status, Jsonb(body), program, at],
    )
    return version


async def append_publish(
    conn: AsyncConnection[Any], workspace: int, partitions: int, body: bytes
) -> tuple[int, list[int]]:
    """A publish row in every partition; the position and each row's offset, by partition."""
    rows = [Row(partition, PUBLISH, 0, b"", body) for partition in range(partitions)]
    lock, append = append_rows(workspace, rows)
    await conn.execute(*lock)
    found = await (await conn.execute(*append)).fetchall()
    return found[0][2], [offset for _, offset, _ in sorted(found)]


async def date_definition(conn: AsyncConnection[Any], workspace: int, program: int) -> None:
    """A definition is as old as its rows in the log, which are dated under the locks: nothing slips in between."""
    await conn.execute(
        """UPDATE definition SET published_at = (SELECT max(at) FROM log_head WHERE workspace = %(workspace)s)
           WHERE workspace = %(workspace)s AND introduced = %(program)s""",
        {"workspace": workspace, "program": program},
    )


async def ask_for_fill(
    conn: AsyncConnection[Any], workspace: int, program: int, root: int, offsets: list[int], kind: str
) -> None:
    """Have existing profiles judged by what was published; a workspace without any needs nothing."""
    await conn.execute(
        """INSERT INTO fill (workspace, program, root, offsets, kind, state)
           SELECT %(workspace)s, %(program)s, %(root)s, %(offsets)s::bigint[], %(kind)s, 'waiting'
           WHERE EXISTS (SELECT FROM profile WHERE workspace = %(workspace)s)
           OR EXISTS (SELECT FROM log_head h WHERE workspace = %(workspace)s AND h."offset" > h.applied + 1)""",
        {"workspace": workspace, "program": program, "root": root, "offsets": offsets, "kind": kind},
    )


# the test clock -----------------------------------------------------------------------------------------------------


async def set_clock(conn: AsyncConnection[Any], workspace: int, now: int) -> bool:
    """Move a test clock; False when that would be back."""
    moved = await conn.execute(
        "UPDATE workspace SET now = %(now)s WHERE id = %(id)s AND clock = 'test' AND now <= %(now)s",
        {"id": workspace, "now": now},
    )
    return moved.rowcount == 1


async def next_launch(conn: AsyncConnection[Any], workspace: int, to: int) -> int | None:
    """The next instant after now and before `to` at which a campaign is launched; paused ones wait."""
    found = await conn.execute(
        """SELECT min(l.due_at) FROM launch l JOIN workspace w ON w.id = l.workspace
           WHERE l.workspace = %s AND l.state = 'scheduled' AND l.due_at > w.now AND l.due_at < %s
           AND NOT EXISTS (SELECT FROM definition d WHERE d.workspace = l.workspace AND d.kind = 'campaign'
                           AND d.name = l.campaign AND d.retired IS NULL AND d.status = 'paused')""",
        [workspace, to],
    )
    row = await found.fetchone()
    return row[0] if row else None

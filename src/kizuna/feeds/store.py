"""SQL of feeds: what is published, how far each is told, and what was refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection, Connection

from kizuna.feeds.entry import Entry

MOST_REFUSED = 1_000  # kept of a feed, the latest


class State(Struct, frozen=True):
    """How far a feed is told. With `until` a piece is under way, and these two arrays are its bounds: who ends it says
    of which it speaks, for meanwhile another may have told it, or the feed was rewound."""

    state: str
    offsets: dict[int, int]
    until: dict[int, int] | None
    pieces: int
    tries: int
    next_at: int
    told_at: int | None
    trouble: str | None
    entries: int


class Published(Struct, frozen=True):
    workspace: int
    name: str
    body: dict[str, Any]


# the process that tells ---------------------------------------------------------------------------------------------


def published(connection: Connection[Any]) -> list[Published]:
    """All of the installation; none while a restored copy is locked."""
    rows = connection.execute(
        """SELECT workspace, name, body FROM definition WHERE kind = 'feed' AND retired IS NULL
           AND NOT EXISTS (SELECT FROM installation WHERE sending_locked_at IS NOT NULL)"""
    ).fetchall()
    return [Published(*row) for row in rows]


def secret(connection: Connection[Any]) -> bytes:
    """The installation's own, under which others are sealed."""
    row = connection.execute("SELECT secret FROM installation").fetchone()
    assert row  # noqa: S101
    return row[0]


def state(connection: Connection[Any], workspace: int, name: str) -> State | None:
    row = connection.execute(_STATE, [workspace, name]).fetchone()
    return _state(row) if row else None


def heads(connection: Connection[Any], workspace: int) -> tuple[dict[int, int], bool]:
    """Up to where each partition is folded, and whether more of the log waits to be."""
    rows = connection.execute(
        'SELECT partition, applied, "offset" > applied FROM log_head WHERE workspace = %s', [workspace]
    ).fetchall()
    return {partition: applied for partition, applied, _ in rows}, any(behind for _, _, behind in rows)


def count_items(connection: Connection[Any], workspace: int, since: Mapping[int, int], until: Mapping[int, int]) -> int:
    row = connection.execute(
        """SELECT coalesce(sum(l.items), 0)::bigint
           FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS w (partition, since, until)
           JOIN log l ON l.partition = w.partition AND l."offset" > w.since AND l."offset" <= w.until
           WHERE l.workspace = %s AND l.kind IN (0, 1)""",
        [list(until), [since.get(p, 0) for p in until], list(until.values()), workspace],
    ).fetchone()
    return row[0] if row else 0


def intend(
    connection: Connection[Any], workspace: int, name: str, known: State, until: Mapping[int, int]
) -> State | None:
    """The next piece ends there, whatever happens while it is handed over. None: it no longer stands as was known."""
    row = connection.execute(
        f"""UPDATE feed f SET until = ARRAY(
               SELECT coalesce(w.until, s."offset") FROM unnest(f.partitions, f.offsets) AS s (partition, "offset")
               LEFT JOIN unnest(%s::smallint[], %s::bigint[]) AS w (partition, until) USING (partition)
               ORDER BY partition)
           WHERE workspace = %s AND name = %s AND offsets = %s::bigint[] AND until IS NULL RETURNING {_COLUMNS}""",  # noqa: S608
        [list(until), list(until.values()), workspace, name, list(known.offsets.values())],
    ).fetchone()
    return _state(row) if row else None


def pass_over(connection: Connection[Any], workspace: int, name: str, under: State) -> None:
    """Nothing of the piece under way concerns this feed."""
    connection.execute(
        f"UPDATE feed SET offsets = until, until = NULL {_UNDER_WAY}",  # noqa: S608
        _bounds(workspace, name, under),
    )


def told(
    connection: Connection[Any], workspace: int, name: str, under: State, count: int, now: int,
    refused: Sequence[tuple[Entry, str]],
) -> None:  # fmt: skip
    """The piece is with them, but for what they refused."""
    with connection.transaction():
        if refused:
            connection.execute(
                """INSERT INTO feed_refused (workspace, feed, entry, at, answer, body)
                   SELECT %s, %s, entry, %s, answer, body
                   FROM unnest(%s::text[], %s::text[], %s::bytea[]) AS new (entry, answer, body)
                   ON CONFLICT (workspace, feed, entry) DO UPDATE SET at = excluded.at, answer = excluded.answer""",
                [
                    workspace, name, now, [entry.id for entry, _ in refused], [said for _, said in refused],
                    [entry.body for entry, _ in refused],
                ],
            )  # fmt: skip
            connection.execute(
                """DELETE FROM feed_refused WHERE workspace = %(workspace)s AND feed = %(feed)s AND entry IN (
                       SELECT entry FROM feed_refused WHERE workspace = %(workspace)s AND feed = %(feed)s
                       ORDER BY at DESC, entry DESC OFFSET %(most)s)""",
                {"workspace": workspace, "feed": name, "most": MOST_REFUSED},
            )
        connection.execute(
            f"""UPDATE feed SET offsets = until, until = NULL, pieces = pieces + 1, entries = entries + %s, tries = 0,
                                next_at = 0, trouble = NULL, told_at = %s {_UNDER_WAY}""",  # noqa: S608
            [count, now, *_bounds(workspace, name, under)],
        )


def failed(
    connection: Connection[Any], workspace: int, name: str, under: State, next_at: int, why: str, *, is_last: bool
) -> None:
    connection.execute(
        f"""UPDATE feed SET tries = tries + 1, next_at = %s, trouble = left(%s, 500),
                            state = CASE WHEN %s AND state = 'on' THEN 'parked' ELSE state END {_UNDER_WAY}""",  # noqa: S608
        [next_at, why, is_last, *_bounds(workspace, name, under)],
    )


def _bounds(workspace: int, name: str, under: State) -> list[Any]:
    return [workspace, name, list(under.offsets.values()), list((under.until or {}).values())]


# routes -------------------------------------------------------------------------------------------------------------


async def bodies(conn: AsyncConnection[Any], workspace: int) -> dict[str, dict[str, Any]]:
    found = await conn.execute(
        "SELECT name, body FROM definition WHERE workspace = %s AND kind = 'feed' AND retired IS NULL ORDER BY name",
        [workspace],
    )
    return dict(await found.fetchall())


async def begin(conn: AsyncConnection[Any], workspace: int, name: str, *, at_start: bool) -> None:
    """A feed that is new begins at the end of the log, or where what is kept of it begins."""
    await conn.execute(
        """INSERT INTO feed (workspace, name, partitions, offsets)
           SELECT %(workspace)s, %(name)s, array_agg(partition ORDER BY partition),
                  array_agg(CASE WHEN %(at_start)s THEN 0 ELSE "offset" END ORDER BY partition)
           FROM log_head WHERE workspace = %(workspace)s ON CONFLICT DO NOTHING""",
        {"workspace": workspace, "name": name, "at_start": at_start},
    )


async def drop(conn: AsyncConnection[Any], workspace: int, name: str) -> None:
    await conn.execute("DELETE FROM feed WHERE workspace = %s AND name = %s", [workspace, name])


async def states(conn: AsyncConnection[Any], workspace: int) -> dict[str, tuple[State, int, int]]:
    """By name: how far it is told, how many rows of the log are ahead, and how many entries were refused."""
    found = await conn.execute(
        f"""SELECT name, {_COLUMNS}, (
                SELECT coalesce(sum(h."offset" - t."offset"), 0)::bigint
                FROM unnest(f.partitions, f.offsets) AS t (partition, "offset")
                JOIN log_head h ON h.workspace = f.workspace AND h.partition = t.partition),
                (SELECT count(*) FROM feed_refused r WHERE r.workspace = f.workspace AND r.feed = f.name)
            FROM feed f WHERE workspace = %s""",  # noqa: S608  # columns of our own
        [workspace],
    )
    return {name: (_state(row), ahead, refused) for name, *row, ahead, refused in await found.fetchall()}


async def set_state(conn: AsyncConnection[Any], workspace: int, name: str, to: str) -> None:
    await conn.execute(
        "UPDATE feed SET state = %s, tries = 0, next_at = 0 WHERE workspace = %s AND name = %s", [to, workspace, name]
    )


async def rewind(conn: AsyncConnection[Any], workspace: int, name: str, at: int) -> None:
    """What was logged from that instant on is told again. Heads only grow, so it never goes forward. They may have
    the piece under way by its number: the next is another."""
    await conn.execute(
        """UPDATE feed f SET until = NULL, tries = 0, next_at = 0, pieces = pieces + (until IS NOT NULL)::integer,
               offsets = ARRAY(
               SELECT least(t."offset", coalesce((
                   SELECT min(l."offset") - 1 FROM log l
                   WHERE l.workspace = f.workspace AND l.partition = t.partition AND l.at >= %s), t."offset"))
               FROM unnest(f.partitions, f.offsets) AS t (partition, "offset") ORDER BY t.partition)
           WHERE workspace = %s AND name = %s""",
        [at, workspace, name],
    )


async def gap(conn: AsyncConnection[Any], workspace: int, name: str) -> int:
    """Rows that the feed has not told and the log no longer has."""
    found = await conn.execute(
        """SELECT coalesce(sum(greatest(0, oldest - 1 - t."offset")), 0)::bigint
           FROM feed f CROSS JOIN LATERAL unnest(f.partitions, f.offsets) AS t (partition, "offset")
           CROSS JOIN LATERAL (
               SELECT coalesce((SELECT min(l."offset") FROM log l
                                WHERE l.workspace = f.workspace AND l.partition = t.partition),
                               h."offset" + 1) AS oldest
               FROM log_head h WHERE h.workspace = f.workspace AND h.partition = t.partition
           ) o WHERE f.workspace = %s AND f.name = %s""",
        [workspace, name],
    )
    row = await found.fetchone()
    return row[0] if row else 0


async def refused(
    conn: AsyncConnection[Any], workspace: int, name: str, before: tuple[int, str], limit: int
) -> list[tuple[str, int, str, bytes]]:
    """(entry, at, answer, body), newest first."""
    found = await conn.execute(
        """SELECT entry, at, answer, body FROM feed_refused
           WHERE workspace = %s AND feed = %s AND (at, entry) < (%s, %s) ORDER BY at DESC, entry DESC LIMIT %s""",
        [workspace, name, *before, limit],
    )
    return await found.fetchall()


_COLUMNS = "state, partitions, offsets, until, pieces, tries, next_at, told_at, trouble, entries"
_UNDER_WAY = "WHERE workspace = %s AND name = %s AND offsets = %s::bigint[] AND until = %s::bigint[]"
_STATE = f"SELECT {_COLUMNS} FROM feed WHERE workspace = %s AND name = %s"  # noqa: S608  # columns of our own


def _state(row: Sequence[Any]) -> State:
    said, partitions, offsets, until, *rest = row
    ends = dict(zip(partitions, until, strict=True)) if until is not None else None
    return State(said, dict(zip(partitions, offsets, strict=True)), ends, *rest)

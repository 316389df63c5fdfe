"""All SQL of the engine: heads, rows, records, timers, and the commit of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final

import msgspec
import psycopg
from psycopg import Connection, Cursor
from psycopg.sql import SQL, Composed, Identifier, Literal
from psycopg.types.json import Jsonb

from kizuna.engine.append import APPLIED, Row, append_locked
from kizuna.engine.moment import REMEMBERED, Item
from kizuna.engine.record import Record, StoredRecord, encode_section
from kizuna.engine.slice import Definition, Workspace, Writer
from kizuna.engine.state import FencedError, Head, LogRow, ParkedItem, Written
from kizuna.runtime.database import commit, pipelined

encode = msgspec.msgpack.Encoder().encode
decode_item = msgspec.msgpack.Decoder(Item).decode

Public = Callable[[Record], tuple[Any, bytes | None]]  # what a record's row shows: traits, and where it lives on

REFUSES_DATA = frozenset(("22", "23", "54"))  # SQLSTATE classes: data, integrity, limits; other errors heal or are ours


class PostgresState:
    """Log and state in one PostgreSQL; a batch is one transaction on one connection."""

    def __init__(
        self,
        connection: Connection[Any],
        writers: Mapping[type, Writer] = {},  # never changed
        public: Public | None = None,
        sections: Sequence[str] = (),
    ) -> None:
        self.connection = connection
        self.writers = writers
        self.public = public
        self.sections = sections
        self.cursor: Cursor[Any] = connection.cursor(binary=True)
        self.told: set[str | None] = set()  # channels whose listeners hear of the commit
        self._open: ExitStack | None = None  # what was sent and not yet answered

    def pending_heads(self, partitions: Sequence[int]) -> list[Head]:
        return pending_heads(self.cursor, partitions)

    def read_rows(self, heads: Sequence[Head], limit: int) -> list[LogRow]:
        return read_rows(self.cursor, heads, limit)

    def due_profiles(self, workspace: int, until: Mapping[int, int], limit: int) -> list[tuple[bytes, int]]:
        return due_profiles(self.cursor, workspace, until, limit)

    def next_wakes(self, partitions: Sequence[int]) -> list[tuple[int, int, int]]:
        return next_wakes(self.cursor, partitions)

    def sweep_profiles(self, workspace: int, partition: int, section: str) -> list[bytes]:
        return sweep_profiles(self.cursor, workspace, partition, section)

    def parked_profiles(self, partitions: Sequence[int]) -> set[tuple[int, bytes]]:
        return parked_profiles(self.cursor, partitions)

    def parked_items(self, workspace: int, profile: bytes) -> list[ParkedItem]:
        return parked_items(self.cursor, workspace, profile)

    def workspaces(self, partitions: int) -> dict[int, Workspace]:
        return workspaces(self.cursor, partitions)

    def definitions(self, workspace: int, program: int) -> list[Definition]:
        return definitions(self.cursor, workspace, program)

    def load(self, workspace: int, profiles: Iterable[bytes]) -> list[StoredRecord]:
        return load(self.cursor, workspace, profiles, self.sections)

    def repeated(self, workspace: int, seen: Mapping[bytes, int]) -> set[bytes]:
        return repeated(self.cursor, workspace, seen)

    def write(self, written: Written) -> None:
        cursor, workspace, public = self.cursor, written.workspace, self.public
        assert public is not None  # noqa: S101  # only readers go without
        if written.new:
            insert(cursor, workspace, written.new, self.sections, public)
        groups: dict[tuple[str, ...], list[Record]] = {}
        for record in written.changed:
            groups.setdefault(tuple(sorted(record.touched)), []).append(record)
        with ExitStack() as stack:
            stack.enter_context(_fenced(workspace))
            stack.enter_context(pipelined(self.connection))  # nothing is read: all is sent before the first answer
            for touched, group in sorted(groups.items()):
                update(cursor, workspace, touched, group, public)
            move_alarms(cursor, workspace, written)
            self.told.update(
                self.writers[kind](cursor, workspace, list(asked)) for kind, asked in written.effects.items()
            )
            if written.duplicates:
                note_duplicates(cursor, workspace, written.duplicates)
            if written.resumed:
                unpark(cursor, workspace, written.resumed)
            if written.parked:
                park(cursor, workspace, written.parked)
            add_counts(cursor, workspace, written.slot, written.counts)
            finish(cursor, workspace, written.heads, written.rows)
            if written.is_read:
                self.told.add("kizuna_log")
            if written.is_last:
                self._open = stack.pop_all()  # others wait for these heads: the commit travels with what locks them

    def commit(self) -> None:
        told = sorted(filter(None, self.told))
        if self._open is None and not told:
            self.connection.commit()
            return
        stack, self._open = self._open, None
        with stack or pipelined(self.connection):
            commit(self.cursor, told)
        self.told.clear()

    def rollback(self) -> None:
        if self._open is not None:
            stack, self._open = self._open, None
            with suppress(psycopg.Error):  # it is undone all the same
                stack.close()
        self.told.clear()
        self.connection.rollback()

    def refuses(self, error: Exception) -> bool:
        return isinstance(error, psycopg.Error) and (error.sqlstate or "")[:2] in REFUSES_DATA


@contextmanager
def _fenced(workspace: int) -> Iterator[None]:
    try:
        yield
    except psycopg.errors.DivisionByZero:
        raise FencedError(f"workspace {workspace}: another worker folds these partitions") from None


# reading -------------------------------------------------------------------------------------------------------------


def pending_heads(cursor: Cursor[Any], partitions: Sequence[int]) -> list[Head]:
    cursor.execute(
        """SELECT workspace, partition, "offset", at, applied, batch, program FROM log_head
           WHERE partition = ANY(%b::smallint[]) AND "offset" > applied ORDER BY workspace, partition""",
        [list(partitions)],
    )
    return [Head(*row) for row in cursor.fetchall()]


def read_rows(cursor: Cursor[Any], heads: Sequence[Head], limit: int) -> list[LogRow]:
    """Up to `limit` unfolded rows of each head of one workspace, in offset order per partition."""
    cursor.execute(
        """SELECT l.partition, l."offset", l.at, l.root, l.kind, l.body, l.items
           FROM unnest(%b::smallint[], %b::bigint[], %b::bigint[]) AS head (partition, applied, newest)
           CROSS JOIN LATERAL (
               SELECT * FROM log WHERE workspace = %s AND partition = head.partition
               AND "offset" > head.applied AND "offset" <= head.newest AND kind <> 1 ORDER BY "offset" LIMIT %s
           ) l ORDER BY l.partition, l."offset" """,
        [
            [head.partition for head in heads],
            [head.applied for head in heads],
            [head.offset for head in heads],
            heads[0].workspace,
            limit,
        ],
    )
    return [LogRow(*row) for row in cursor.fetchall()]


def due_profiles(cursor: Cursor[Any], workspace: int, until: Mapping[int, int], limit: int) -> list[tuple[bytes, int]]:
    """(profile, at) of alarms that ring at or before the partition's instant, earliest first."""
    cursor.execute(
        """SELECT a.profile, a.at FROM unnest(%b::smallint[], %b::bigint[]) AS due (partition, until)
           CROSS JOIN LATERAL (
               SELECT profile, at FROM alarm WHERE workspace = %s AND partition = due.partition
               AND at <= due.until ORDER BY at LIMIT %s
           ) a ORDER BY a.at LIMIT %s""",
        [list(until), list(until.values()), workspace, limit, limit],
    )
    return cursor.fetchall()


def next_wakes(cursor: Cursor[Any], partitions: Sequence[int]) -> list[tuple[int, int, int]]:
    """(workspace, partition, at) of the earliest alarm of each partition of each live workspace."""
    cursor.execute(
        """SELECT h.workspace, h.partition, a.at FROM log_head h
           JOIN workspace w ON w.id = h.workspace AND w.clock = 'live'
           CROSS JOIN LATERAL (
               SELECT at FROM alarm WHERE workspace = h.workspace AND partition = h.partition ORDER BY at LIMIT 1
           ) a WHERE h.partition = ANY(%b::smallint[])""",
        [list(partitions)],
    )
    return cursor.fetchall()


def sweep_profiles(cursor: Cursor[Any], workspace: int, partition: int, section: str) -> list[bytes]:
    """All profiles of a partition that have something in a section."""
    query = SQL("SELECT id FROM profile WHERE workspace = %s AND partition = %s AND {} IS NOT NULL")
    cursor.execute(query.format(Identifier(section)), [workspace, partition])
    return [row[0] for row in cursor.fetchall()]


def workspaces(cursor: Cursor[Any], partitions: int) -> dict[int, Workspace]:
    cursor.execute("SELECT id, name, clock, zone, currency, consent FROM workspace")
    return {row[0]: Workspace(*row, partitions=partitions) for row in cursor.fetchall()}


def definitions(cursor: Cursor[Any], workspace: int, program: int) -> list[Definition]:
    """All definitions introduced up to a program version, retired ones included, oldest first."""
    cursor.execute(
        """SELECT kind, name, version, status, body, introduced, retired, published_at FROM definition
           WHERE workspace = %s AND introduced <= %s ORDER BY introduced, kind, name""",
        [workspace, program],
    )
    return [Definition(*row) for row in cursor.fetchall()]


_loads: dict[tuple[str, ...], Composed] = {}


def load(cursor: Cursor[Any], workspace: int, profiles: Iterable[bytes], sections: Sequence[str]) -> list[StoredRecord]:
    key = tuple(sections)
    if key not in _loads:
        _loads[key] = SQL(
            """SELECT id, partition, created_at, last_seen_at, coalesce(wake_at, 0), {columns}
               FROM profile WHERE workspace = %s AND id = ANY(%b::bytea[])"""
        ).format(columns=SQL(", ").join(Identifier(name) for name in sections))
    cursor.execute(_loads[key], [workspace, list(profiles)])
    return [
        StoredRecord(profile, partition, created_at, seen_at, alarm, tuple(bodies))
        for profile, partition, created_at, seen_at, alarm, *bodies in cursor.fetchall()
    ]


def repeated(cursor: Cursor[Any], workspace: int, seen: Mapping[bytes, int]) -> set[bytes]:
    """Of key -> instant, the keys seen in the 90 days before; the others count as seen from now on."""
    ordered = sorted(seen)  # so that two workers never wait for each other in a ring
    cursor.execute(
        """INSERT INTO seen (workspace, id, at)
           SELECT %(workspace)s, id, at FROM unnest(%(ids)b::bytea[], %(at)b::bigint[]) AS new (id, at)
           ON CONFLICT (workspace, id) DO UPDATE SET at = excluded.at WHERE seen.at <= excluded.at - %(kept)s""",
        {"workspace": workspace, "ids": ordered, "at": [seen[key] for key in ordered], "kept": REMEMBERED},
    )
    if cursor.rowcount == len(ordered):  # nearly always: then nothing need be read back
        return set()
    cursor.execute(
        """SELECT id FROM seen WHERE workspace = %s AND id = ANY(%b::bytea[])
           AND xmin <> pg_current_xact_id()::xid""",
        [workspace, ordered],
    )
    return {row[0] for row in cursor.fetchall()}


def parked_profiles(cursor: Cursor[Any], partitions: Sequence[int]) -> set[tuple[int, bytes]]:
    cursor.execute(
        "SELECT DISTINCT workspace, profile FROM parked WHERE partition = ANY(%b::smallint[])", [list(partitions)]
    )
    return set(cursor.fetchall())


def parked_items(cursor: Cursor[Any], workspace: int, profile: bytes) -> list[ParkedItem]:
    """What was kept back of a profile, in the order of the log."""
    cursor.execute(
        """SELECT profile, partition, "offset", index, at, root, item, error FROM parked
           WHERE workspace = %s AND profile = %s ORDER BY partition, "offset", index""",
        [workspace, profile],
    )
    return [
        ParkedItem(found, partition, offset, index, at, root, decode_item(item), error)
        for found, partition, offset, index, at, root, item, error in cursor.fetchall()
    ]


# writing -------------------------------------------------------------------------------------------------------------


def insert(
    cursor: Cursor[Any], workspace: int, records: Sequence[Record], sections: Sequence[str], public: Public
) -> None:
    with cursor.copy(
        SQL(
            "COPY profile (workspace, id, partition, created_at, last_seen_at, wake_at, merged_into, traits, {})"
            " FROM STDIN (FORMAT BINARY)"
        ).format(SQL(", ").join(Identifier(name) for name in sections))
    ) as copy:
        copy.set_types(["int4", "bytea", "int2", "int8", "int8", "int8", "bytea", "jsonb", *["bytea"] * len(sections)])
        for record in records:
            traits, merged_into = public(record)
            copy.write_row(
                [
                    workspace,
                    record.id,
                    record.partition,
                    record.created_at,
                    record.seen_at,
                    record.alarm or None,
                    merged_into,
                    Jsonb(traits, dumps=msgspec.json.encode),
                    *[encode_section(record.sections[name]) if name in record.touched else None for name in sections],
                ]
            )


def update(
    cursor: Cursor[Any], workspace: int, touched: tuple[str, ...], records: Sequence[Record], public: Public
) -> None:
    """Records whose sections of these names changed: only these are written."""
    arrays: list[Any] = [
        [record.id for record in records],
        [record.seen_at for record in records],
        [record.alarm or None for record in records],
        *[[encode_section(record.sections[name]) for record in records] for name in touched],
    ]
    if "profiles" in touched:
        shown = [public(record) for record in records]
        arrays += [[_json(traits) for traits, _ in shown], [merged for _, merged in shown]]
        arrays.append([record.created_at for record in records])  # a joined record may be older
    cursor.execute(_update_of(touched), [*arrays, workspace])


_SHOWN = ", traits = new.traits::jsonb, merged_into = new.merged_into, created_at = new.created_at"
_updates: dict[tuple[str, ...], Composed] = {}


def _update_of(touched: tuple[str, ...]) -> Composed:
    if touched not in _updates:
        public = "profiles" in touched
        names = SQL("").join(SQL(", {}").format(Identifier(name)) for name in touched)
        sets = SQL("").join(SQL(", {0} = new.{0}").format(Identifier(name)) for name in touched)
        _updates[touched] = SQL(
            """UPDATE profile SET last_seen_at = new.last_seen_at, wake_at = new.wake_at{sets}{public_sets}
               FROM unnest(%b::bytea[], %b::bigint[], %b::bigint[]{types}{public_types})
                    AS new (id, last_seen_at, wake_at{names}{public_names})
               WHERE profile.workspace = %s AND profile.id = new.id"""
        ).format(
            sets=sets,
            names=names,
            types=SQL(", %b::bytea[]" * len(touched)),
            public_sets=SQL(_SHOWN if public else ""),
            public_types=SQL(", %b::text[], %b::bytea[], %b::bigint[]" if public else ""),
            public_names=SQL(", traits, merged_into, created_at" if public else ""),
        )
    return _updates[touched]


def move_alarms(cursor: Cursor[Any], workspace: int, written: Written) -> None:
    """Alarms that rang go, new ones come; one that was overtaken stays and rings for nothing."""
    if written.rung:
        cursor.execute(
            """DELETE FROM alarm a
               USING unnest(%b::smallint[], %b::bigint[], %b::bytea[]) AS rung (partition, at, profile)
               WHERE a.workspace = %s AND (a.partition, a.at, a.profile) = (rung.partition, rung.at, rung.profile)""",
            [*(list(column) for column in zip(*written.rung, strict=True)), workspace],
        )
    moved = [r for r in (*written.new, *written.changed) if r.alarm and r.alarm != r.stored[1]]
    if moved:
        cursor.execute(
            """INSERT INTO alarm (workspace, partition, at, profile)
               SELECT %s, * FROM unnest(%b::smallint[], %b::bigint[], %b::bytea[]) ON CONFLICT DO NOTHING""",
            [workspace, [r.partition for r in moved], [r.alarm for r in moved], [r.id for r in moved]],
        )


def park(cursor: Cursor[Any], workspace: int, items: Sequence[ParkedItem]) -> None:
    cursor.executemany(
        """INSERT INTO parked (workspace, profile, partition, "offset", index, at, root, item, error)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [(workspace, p.profile, p.partition, p.offset, p.index, p.at, p.root, encode(p.item), p.error) for p in items],
    )


def unpark(cursor: Cursor[Any], workspace: int, profiles: Sequence[bytes]) -> None:
    cursor.execute("DELETE FROM parked WHERE workspace = %s AND profile = ANY(%b::bytea[])", [workspace, profiles])


def note_duplicates(cursor: Cursor[Any], workspace: int, places: Sequence[tuple[int, int, int]]) -> None:
    """(partition, offset, index) of items that were not applied; the lake leaves them out."""
    cursor.execute(
        """INSERT INTO duplicate (workspace, partition, "offset", index)
           SELECT %s, * FROM unnest(%b::smallint[], %b::bigint[], %b::integer[])""",
        [workspace, *(list(column) for column in zip(*places, strict=True))],
    )


def add_counts(cursor: Cursor[Any], workspace: int, slot: int, counts: Mapping[str, int]) -> None:
    counts = {name: value for name, value in sorted(counts.items()) if value}
    if counts:
        cursor.execute(
            """INSERT INTO counter (workspace, name, slot, value)
               SELECT %s, name, %s, value FROM unnest(%b::text[], %b::bigint[]) AS new (name, value)
               ON CONFLICT (workspace, name, slot) DO UPDATE SET value = counter.value + excluded.value""",
            [workspace, slot, list(counts), list(counts.values())],
        )


# A head that moved on, or is gone, ends the transaction: a division by zero is the error that plain SQL can raise.
_FENCE: Final = """
WITH locked AS MATERIALIZED (
    SELECT partition, batch FROM log_head
    WHERE workspace = %(workspace)s AND partition = ANY(%(partitions)b::smallint[]) ORDER BY partition FOR UPDATE
)
SELECT 1 / (count(*) = %(own)s)::integer FROM locked
JOIN unnest(%(held)b::smallint[], %(batches)b::bigint[]) AS held (partition, batch) USING (partition, batch)
"""


def finish(cursor: Cursor[Any], workspace: int, heads: Sequence[Head], rows: Sequence[Row]) -> None:
    """End a batch: lock the heads, append facts and relays, move the offsets; `DivisionByZero` is the fence's word."""
    own = [head for head in heads if head.workspace == workspace]
    facts = {row.partition for row in rows if row.kind == APPLIED}
    held = {"held": [head.partition for head in own], "batches": [head.batch for head in own], "own": len(own)}
    partitions = sorted({*held["held"], *(row.partition for row in rows)})
    cursor.execute(_FENCE, {"workspace": workspace, "partitions": partitions, **held})
    cursor.execute(
        """UPDATE log_head h SET batch = h.batch + 1, program = new.program,
               applied = CASE WHEN h."offset" = new.applied THEN h."offset" + new.facts ELSE new.applied END
           FROM unnest(%b::smallint[], %b::bigint[], %b::integer[], %b::integer[])
                AS new (partition, applied, facts, program)
           WHERE h.workspace = %s AND h.partition = new.partition""",
        [
            [head.partition for head in own],
            [head.applied for head in own],
            [int(head.partition in facts) for head in own],
            [head.program for head in own],
            workspace,
        ],
    )
    if rows:
        cursor.execute(*append_locked(workspace, sorted(rows, key=lambda row: row.kind != APPLIED)))


def partitions(connection: Connection[Any]) -> int:
    """How many partitions this installation has; fixed at install."""
    row = connection.execute("SELECT partitions FROM installation").fetchone()
    connection.commit()
    assert row  # noqa: S101
    return row[0]


def take_partition(connection: Connection[Any], partition: int) -> bool:
    """Own a partition as long as this connection lives."""
    row = connection.execute(SQL("SELECT pg_try_advisory_lock(1263753, {})").format(Literal(partition))).fetchone()
    return bool(row and row[0])


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


# folding again -------------------------------------------------------------------------------------------------------


def heads_of(cursor: Cursor[Any], workspace: int) -> dict[int, tuple[int, int]]:
    """By partition: the newest row folded, and the oldest row that the log still has (0: none)."""
    cursor.execute(
        """SELECT h.partition, h.applied, coalesce((SELECT min(l."offset") FROM log l
               WHERE l.workspace = h.workspace AND l.partition = h.partition), 0)
           FROM log_head h WHERE h.workspace = %s AND h."offset" > 0 ORDER BY h.partition""",
        [workspace],
    )
    return {partition: (applied, oldest) for partition, applied, oldest in cursor.fetchall()}


def all_rows(cursor: Cursor[Any], workspace: int, partition: int) -> list[LogRow]:
    cursor.execute(
        """SELECT partition, "offset", at, root, kind, body, items FROM log
           WHERE workspace = %s AND partition = %s ORDER BY "offset" """,
        [workspace, partition],
    )
    return [LogRow(*row) for row in cursor.fetchall()]


def all_duplicates(cursor: Cursor[Any], workspace: int, partition: int) -> set[tuple[int, int]]:
    cursor.execute(
        'SELECT "offset", index FROM duplicate WHERE workspace = %s AND partition = %s', [workspace, partition]
    )
    return set(cursor.fetchall())


def all_records(
    cursor: Cursor[Any], workspace: int, partition: int, sections: Sequence[str]
) -> dict[bytes, StoredRecord]:
    cursor.execute("SELECT id FROM profile WHERE workspace = %s AND partition = %s", [workspace, partition])
    found = load(cursor, workspace, [row[0] for row in cursor.fetchall()], sections)
    return {record.id: record for record in found}


def delete_records(cursor: Cursor[Any], workspace: int, profiles: Sequence[bytes]) -> None:
    """And their timers."""
    for statement in (
        "DELETE FROM profile WHERE workspace = %s AND id = ANY(%b::bytea[])",
        "DELETE FROM alarm WHERE workspace = %s AND profile = ANY(%b::bytea[])",
    ):
        cursor.execute(statement, [workspace, list(profiles)])


def insert_alarms(cursor: Cursor[Any], workspace: int, records: Sequence[Record]) -> None:
    set_ones = [record for record in records if record.alarm]
    cursor.execute(
        """INSERT INTO alarm (workspace, partition, at, profile)
           SELECT %s, * FROM unnest(%b::smallint[], %b::bigint[], %b::bytea[])""",
        [workspace, [r.partition for r in set_ones], [r.alarm for r in set_ones], [r.id for r in set_ones]],
    )


def fence(cursor: Cursor[Any], workspace: int) -> None:
    """Void what any owner still has in memory: its records were changed behind its back."""
    cursor.execute(
        """UPDATE log_head h SET batch = h.batch + 1 FROM (
               SELECT partition FROM log_head WHERE workspace = %(workspace)s ORDER BY partition FOR UPDATE
           ) mine WHERE h.workspace = %(workspace)s AND h.partition = mine.partition""",
        {"workspace": workspace},
    )


def counters(cursor: Cursor[Any], workspace: int) -> dict[str, int]:
    """Sums that are not 0."""
    cursor.execute(
        """SELECT name, sum(value)::bigint FROM counter WHERE workspace = %s
           GROUP BY name HAVING sum(value) <> 0""",
        [workspace],
    )
    return dict(cursor.fetchall())


def set_counters(cursor: Cursor[Any], workspace: int, counts: Mapping[str, int]) -> None:
    cursor.execute("DELETE FROM counter WHERE workspace = %s", [workspace])
    add_counts(cursor, workspace, 0, counts)

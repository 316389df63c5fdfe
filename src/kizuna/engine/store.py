"""All SQL of the engine: heads, rows, records, timers, and the commit of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection, Cursor
from psycopg.sql import SQL, Composed, Identifier, Literal
from psycopg.types.json import Jsonb

from kizuna.engine.append import APPLIED, Row, append_locked, lock_heads
from kizuna.engine.moment import Item
from kizuna.engine.slice import Definition, Record, Section, Workspace

_decode_items = msgspec.msgpack.Decoder(list[Item]).decode
_encode = msgspec.msgpack.encode


class Head(Struct):
    """Where a partition's reader stands."""

    workspace: int
    partition: int
    offset: int
    at: int
    applied: int
    batch: int
    program: int


class LogRow(Struct, frozen=True):
    partition: int
    offset: int
    at: int
    root: int
    kind: int
    body: bytes
    items: int

    def decode(self) -> list[Item]:
        return _decode_items(self.body)


class ParkedItem(Struct, frozen=True):
    profile: bytes
    partition: int
    offset: int
    index: int
    at: int
    root: int
    item: Item
    error: str


class FencedError(RuntimeError):
    """Another owner folded this partition: what was computed is void."""


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
    """(profile, wake_at) of timers due at or before the partition's instant, earliest first."""
    cursor.execute(
        """SELECT p.id, p.wake_at FROM unnest(%b::smallint[], %b::bigint[]) AS due (partition, until)
           CROSS JOIN LATERAL (
               SELECT id, wake_at FROM profile WHERE workspace = %s AND partition = due.partition
               AND wake_at <= due.until ORDER BY wake_at LIMIT %s
           ) p ORDER BY p.wake_at LIMIT %s""",
        [list(until), list(until.values()), workspace, limit, limit],
    )
    return cursor.fetchall()


def next_wakes(cursor: Cursor[Any], partitions: Sequence[int]) -> list[tuple[int, int, int]]:
    """(workspace, partition, wake_at) of the earliest timer of each partition of each live workspace."""
    cursor.execute(
        """SELECT h.workspace, h.partition, p.wake_at FROM log_head h
           JOIN workspace w ON w.id = h.workspace AND w.clock = 'live'
           CROSS JOIN LATERAL (
               SELECT wake_at FROM profile WHERE workspace = h.workspace AND partition = h.partition
               AND wake_at IS NOT NULL ORDER BY wake_at LIMIT 1
           ) p WHERE h.partition = ANY(%b::smallint[])""",
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


_SHOWN = ", traits = new.traits::jsonb, merged_into = new.merged_into, created_at = new.created_at"


class Records:
    """Loads and saves records of the slices given; knows their columns, nothing of their meaning."""

    def __init__(self, sections: Mapping[str, type[Section]]) -> None:
        self.sections = sections
        self.decoders = {name: msgspec.msgpack.Decoder(kind).decode for name, kind in sections.items()}
        columns = SQL(", ").join(Identifier(name) for name in sections)
        self._load = SQL(
            """SELECT id, partition, created_at, last_seen_at, coalesce(wake_at, 0), {columns}
               FROM profile WHERE workspace = %s AND id = ANY(%b::bytea[])"""
        ).format(columns=columns)
        self._updates: dict[tuple[str, ...], Composed] = {}

    def load(self, cursor: Cursor[Any], workspace: int, profiles: Iterable[bytes]) -> dict[bytes, Record]:
        cursor.execute(self._load, [workspace, list(profiles)])
        decoders = list(self.decoders.items())
        found: dict[bytes, Record] = {}
        for profile, partition, created_at, seen_at, alarm, *raw in cursor.fetchall():
            sections = {
                name: self.sections[name]() if body is None else decode(body)
                for (name, decode), body in zip(decoders, raw, strict=True)
            }
            record = Record(profile, partition, sections, is_new=False)
            record.created_at, record.seen_at, record.alarm = created_at, seen_at, alarm
            record.stored = (seen_at, alarm)
            found[profile] = record
        return found

    def fresh(self, profile: bytes, partition: int) -> Record:
        return Record(profile, partition, {name: kind() for name, kind in self.sections.items()}, is_new=True)

    def save(self, cursor: Cursor[Any], workspace: int, records: Iterable[Record], public: Any) -> None:
        """Write what changed: new records by one statement, others by one per set of touched sections."""
        new: list[Record] = []
        changed: dict[tuple[str, ...], list[Record]] = {}
        for record in records:
            if record.is_new:
                if record.touched:  # one that was only looked for is not made
                    new.append(record)
            elif record.touched or record.stored != (record.seen_at, record.alarm):
                changed.setdefault(tuple(sorted(record.touched)), []).append(record)
        if new:
            self._insert(cursor, workspace, new, public)
        for touched, group in sorted(changed.items()):
            self._update(cursor, workspace, touched, group, public)

    def _insert(self, cursor: Cursor[Any], workspace: int, records: list[Record], public: Any) -> None:
        names = list(self.sections)
        with cursor.copy(
            SQL(
                "COPY profile (workspace, id, partition, created_at, last_seen_at, wake_at, merged_into, traits, {})"
                " FROM STDIN (FORMAT BINARY)"
            ).format(SQL(", ").join(Identifier(name) for name in names))
        ) as copy:
            copy.set_types(["int4", "bytea", "int2", "int8", "int8", "int8", "bytea", "jsonb", *["bytea"] * len(names)])
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
                        *[_encode(record.sections[name]) if name in record.touched else None for name in names],
                    ]
                )

    def _update(
        self, cursor: Cursor[Any], workspace: int, touched: tuple[str, ...], group: list[Record], public: Any
    ) -> None:
        arrays: list[Any] = [
            [record.id for record in group],
            [record.seen_at for record in group],
            [record.alarm or None for record in group],
            *[[_encode(record.sections[name]) for record in group] for name in touched],
        ]
        if "profiles" in touched:
            shown = [public(record) for record in group]
            arrays += [[_json(traits) for traits, _ in shown], [merged for _, merged in shown]]
            arrays.append([record.created_at for record in group])  # a joined record may be older
        cursor.execute(self._update_of(touched), [*arrays, workspace])

    def _update_of(self, touched: tuple[str, ...]) -> Composed:
        if touched not in self._updates:
            public = "profiles" in touched
            names = SQL("").join(SQL(", {}").format(Identifier(name)) for name in touched)
            sets = SQL("").join(SQL(", {0} = new.{0}").format(Identifier(name)) for name in touched)
            self._updates[touched] = SQL(
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
        return self._updates[touched]


DAYS_90 = 90 * 24 * 3600 * 1_000_000


def first_seen(cursor: Cursor[Any], workspace: int, seen: Mapping[bytes, int]) -> set[bytes]:
    """Of id -> instant, the ids not seen in the 90 days before; they count as seen from now on."""
    ordered = sorted(seen)  # so that two workers never wait for each other in a ring
    cursor.execute(
        """INSERT INTO seen (workspace, id, at)
           SELECT %(workspace)s, id, at FROM unnest(%(ids)b::bytea[], %(at)b::bigint[]) AS new (id, at)
           ON CONFLICT (workspace, id) DO UPDATE SET at = excluded.at WHERE seen.at <= excluded.at - %(kept)s
           RETURNING id""",
        {"workspace": workspace, "ids": ordered, "at": [seen[key] for key in ordered], "kept": DAYS_90},
    )
    return {row[0] for row in cursor.fetchall()}


def parked_profiles(cursor: Cursor[Any], partitions: Sequence[int]) -> set[tuple[int, bytes]]:
    cursor.execute(
        "SELECT DISTINCT workspace, profile FROM parked WHERE partition = ANY(%b::smallint[])", [list(partitions)]
    )
    return set(cursor.fetchall())


def park(cursor: Cursor[Any], workspace: int, items: Sequence[ParkedItem]) -> None:
    cursor.executemany(
        """INSERT INTO parked (workspace, profile, partition, "offset", index, at, root, item, error)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [(workspace, p.profile, p.partition, p.offset, p.index, p.at, p.root, _encode(p.item), p.error) for p in items],
    )


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


def finish(cursor: Cursor[Any], workspace: int, heads: Sequence[Head], rows: Sequence[Row]) -> None:
    """End a batch: lock the heads, append facts and relays, move the offsets; raises `FencedError`."""
    own = [head for head in heads if head.workspace == workspace]
    facts = {row.partition for row in rows if row.kind == APPLIED}
    cursor.execute(*lock_heads(workspace, {head.partition for head in own} | {row.partition for row in rows}))
    cursor.execute(
        """UPDATE log_head h SET batch = h.batch + 1, program = new.program,
               applied = CASE WHEN h."offset" = new.applied THEN h."offset" + new.facts ELSE new.applied END
           FROM unnest(%b::smallint[], %b::bigint[], %b::bigint[], %b::integer[], %b::integer[])
                AS new (partition, batch, applied, facts, program)
           WHERE h.workspace = %s AND h.partition = new.partition AND h.batch = new.batch""",
        [
            [head.partition for head in own],
            [head.batch for head in own],
            [head.applied for head in own],
            [int(head.partition in facts) for head in own],
            [head.program for head in own],
            workspace,
        ],
    )
    if cursor.rowcount != len(own):
        raise FencedError(f"workspace {workspace}: another worker folds these partitions")
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


def message_key(message_id: str) -> bytes:
    return blake2b(message_id.encode(), digest_size=16, person=b"messageId").digest()

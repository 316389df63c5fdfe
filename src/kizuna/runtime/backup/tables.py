"""All tables of a database, copied out of one snapshot and into an empty schema of the same revision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier

CHUNK = 4 << 20  # bytes of a table kept in memory
STAMP = "alembic_version"  # the revision travels in the manifest


def begin(connection: Connection[Any]) -> dict[str, list[str]]:
    """Freeze what is seen; the columns of each table, referenced tables first.

    The tables are locked against changes of the schema, as pg_dump does it; nobody who reads or writes waits.
    """
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    found = columns(connection)
    names = SQL(", ").join(Identifier(name) for name in found)
    connection.execute(SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(names))
    return found


def columns(connection: Connection[Any]) -> dict[str, list[str]]:
    """By table, referenced tables first."""
    rows = connection.execute(
        """SELECT c.relname::text, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND c.relname <> %s GROUP BY c.relname""",
        [STAMP],
    ).fetchall()
    found: dict[str, list[str]] = dict(rows)
    needs: dict[str, set[str]] = {name: set() for name in sorted(found)}
    for child, parent in connection.execute(
        """SELECT a.relname::text, b.relname::text FROM pg_constraint k JOIN pg_class a ON a.oid = k.conrelid
           JOIN pg_class b ON b.oid = k.confrelid WHERE k.contype = 'f' AND a.oid <> b.oid"""
    ):
        if child in needs and parent in needs:
            needs[child].add(parent)
    return {name: found[name] for name in TopologicalSorter(needs).static_order()}


def copy_out(connection: Connection[Any], table: str, names: list[str]) -> Iterator[bytes]:
    """The rows in pieces of some megabytes."""
    pieces: list[bytes] = []
    size = 0
    with (
        connection.cursor() as cursor,
        cursor.copy(_statement("COPY (SELECT {} FROM {}) TO STDOUT", table, names)) as c,
    ):
        for row in c:
            pieces.append(bytes(row))
            size += len(pieces[-1])
            if size >= CHUNK:
                yield b"".join(pieces)
                pieces, size = [], 0
    yield b"".join(pieces)


def copy_in(connection: Connection[Any], table: str, names: list[str], pieces: Iterable[bytes]) -> None:
    with connection.cursor() as cursor, cursor.copy(_statement("COPY {1} ({0}) FROM STDIN", table, names)) as copy:
        for piece in pieces:
            copy.write(piece)


def sequences(connection: Connection[Any]) -> dict[str, tuple[int, bool]]:
    """Last value and whether it was given out. They stand outside of snapshots: asked last, they cover all rows."""
    names = connection.execute(
        "SELECT relname::text FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"
    ).fetchall()
    found: dict[str, tuple[int, bool]] = {}
    for (name,) in names:
        row: Any = connection.execute(SQL("SELECT last_value, is_called FROM {}").format(Identifier(name))).fetchone()
        found[name] = row[0], row[1]
    return found


def set_sequences(connection: Connection[Any], values: dict[str, tuple[int, bool]]) -> None:
    for name, (value, is_called) in values.items():
        connection.execute("SELECT setval(format('%%I', %s::text)::regclass, %s, %s)", [name, value, is_called])


def clear(connection: Connection[Any], tables: Iterable[str]) -> None:
    """What a migration put into a new schema is in the backup too."""
    names = SQL(", ").join(Identifier(name) for name in tables)
    connection.execute(SQL("TRUNCATE {}").format(names))


def is_empty(connection: Connection[Any]) -> bool:
    row = connection.execute(
        """SELECT NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace
                              AND relkind IN ('r', 'p', 'v', 'm', 'S'))"""
    ).fetchone()
    return bool(row and row[0])


def _statement(text: Any, table: str, names: list[str]) -> Composed:
    listed = SQL(", ").join(Identifier(name) for name in names)
    return SQL(text + " (FORMAT BINARY)").format(listed, Identifier(table))

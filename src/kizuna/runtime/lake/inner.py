"""What the log says beside events: relays between records, fills and publishes. Kept when log rows are dropped.

The lake has every event; to fold again, these are needed too. They are few, so they are written once, at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

from kizuna.core import ids
from kizuna.runtime.lake import tidy
from kizuna.runtime.lake.said import INTERNAL, Said

if TYPE_CHECKING:
    from deltalake import DeltaTable
    from psycopg import Connection

ITEM, PUBLISH = 0, 3  # kinds of log rows
ROWS_AT_ONCE = 2_000
LINES_AT_ONCE = 20_000  # of one commit
_MARKS = tuple(bytes([0xA0 | len(name)]) + name.encode() for name in sorted(INTERNAL))  # as MessagePack writes them

Line = tuple[str, int, int, int, int, int, bytes]  # profile, partition, offset, index, logged_at, kind, body

_decode = msgspec.msgpack.Decoder(list[Said]).decode
_encode = msgspec.msgpack.encode


def keep(
    connection: Connection[Any], folder: Path, workspace: int, until: Mapping[int, int], looked: dict[int, int]
) -> None:
    """Write the inner rows up to `until`, by partition, that the table lacks. Killed between commits, it goes on.

    `looked` is what the caller remembers of earlier calls, so that rows without any are read once.
    """
    table = open_inner(folder)
    lines: list[Line] = []
    reached: dict[int, int] = {}
    for partition, last in until.items():
        held = max(looked.get(partition, 0), (table.transaction_version(f"p{partition}") or 0) if table else 0)
        while rows := connection.execute(_ROWS, [workspace, partition, held, last, ROWS_AT_ONCE]).fetchall():
            held = reached[partition] = rows[-1][0]
            lines += [line for row in rows for line in lines_of(partition, *row)]
            if len(lines) >= LINES_AT_ONCE:
                table = _commit(table or _create(folder), lines, reached)
                lines, reached = [], {}
    if lines:
        table = _commit(table or _create(folder), lines, reached)
    looked.update(until)
    if table is not None:
        tidy.compact(table)
        tidy.vacuum(table)


def _commit(table: DeltaTable, lines: Sequence[Line], reached: Mapping[int, int]) -> DeltaTable:
    from deltalake import CommitProperties, Transaction, write_deltalake

    done = [Transaction(f"p{partition}", offset) for partition, offset in sorted(reached.items())]
    properties = CommitProperties(app_transactions=done)
    write_deltalake(table, _arrow(lines), mode="append", commit_properties=properties)
    return table


def _create(folder: Path) -> DeltaTable:
    from deltalake import DeltaTable

    path = folder / NAME
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return DeltaTable.create(path, _schema(), mode="ignore")


def lines_of(partition: int, offset: int, at: int, kind: int, body: bytes) -> list[Line]:
    """What one log row says that no event does."""
    if kind == PUBLISH:
        return [("", partition, offset, 0, at, PUBLISH, body)]
    if not is_inner(body):
        return []
    return [
        (ids.show("prf", item.profile), partition, offset, index, at, ITEM, _encode(item))
        for index, item in enumerate(_decode(body))
        if item.type in INTERNAL
    ]


def is_inner(body: bytes) -> bool:
    """Whether a row may hold such items; says so of a few others too, and spares decoding most."""
    return any(mark in body for mark in _MARKS)


def files(folder: Path) -> list[Path]:
    table = open_inner(folder)
    if table is None:
        return []
    actions: Any = table.get_add_actions(flatten=True)
    paths: list[str] = actions.column("path").to_pylist()
    return [folder / NAME / unquote(path) for path in paths]


def open_inner(folder: Path) -> DeltaTable | None:
    """The table, or None while no log row was ever dropped."""
    from deltalake import DeltaTable

    path = folder / NAME
    return DeltaTable(path) if (path / "_delta_log").is_dir() and DeltaTable.is_deltatable(str(path)) else None


NAME = "inner"

_ROWS = """
SELECT "offset", at, kind, body FROM log
WHERE workspace = %s AND partition = %s AND "offset" > %s AND "offset" <= %s AND kind IN (0, 3)
ORDER BY "offset" LIMIT %s
"""


def _schema() -> Any:
    from arro3.core import DataType, Field, Schema

    text, long, number, raw = DataType.utf8(), DataType.int64(), DataType.int32(), DataType.binary()
    return Schema(
        [
            Field("profile", text),  # to whom it was said; "" for a publish
            Field("partition", number),
            Field("offset", long),
            Field("index", number),
            Field("logged_at", long),
            Field("kind", number),
            Field("body", raw),  # the item, or the publish, as the log had it
        ]
    )


def _arrow(lines: Sequence[Line]) -> Any:
    from arro3.core import Array, Table

    schema = _schema()
    columns = zip(*lines, strict=True)
    arrays = [Array(list(column), type=schema.field(place).type) for place, column in enumerate(columns)]
    return Table.from_arrays(arrays, schema=schema)

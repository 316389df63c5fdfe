"""What the log says beside events: relays between records, fills and publishes. Kept when log rows are dropped.

The lake has every event; to fold again, these are needed too. They are few, so they are written once, at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

from kizuna.core import ids
from kizuna.runtime.lake.said import INTERNAL, Said

if TYPE_CHECKING:
    from psycopg import Connection

ITEM, PUBLISH = 0, 3  # kinds of log rows
ROWS_AT_ONCE = 2_000
_MARKS = tuple(bytes([0xA0 | len(name)]) + name.encode() for name in sorted(INTERNAL))  # as MessagePack writes them

Line = tuple[str, int, int, int, int, int, bytes]  # profile, partition, offset, index, logged_at, kind, body

_decode = msgspec.msgpack.Decoder(list[Said]).decode
_encode = msgspec.msgpack.encode


def keep(connection: Connection[Any], folder: Path, workspace: int, partition: int, until: int) -> None:
    """Write the inner rows of a partition up to `until` that the table lacks; several commits, each whole."""
    from deltalake import DeltaTable, Transaction, write_deltalake
    from deltalake.transaction import CommitProperties

    table = open_inner(folder)
    held = (table.transaction_version(f"p{partition}") or 0) if table else 0
    while True:
        rows = connection.execute(_ROWS, [workspace, partition, held, until, ROWS_AT_ONCE]).fetchall()
        if not rows:
            return
        held = rows[-1][0]
        lines = [line for row in rows for line in lines_of(partition, *row)]
        if not lines:
            continue
        if table is None:
            path = folder / NAME
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            table = DeltaTable.create(path, _schema(), mode="ignore")
        write_deltalake(
            table, _arrow(lines), mode="append",
            commit_properties=CommitProperties(app_transactions=[Transaction(f"p{partition}", held)]),
        )  # fmt: skip


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
    paths = table.get_add_actions(flatten=True).column("path").to_pylist()
    return [folder / NAME / unquote(path) for path in paths]


def open_inner(folder: Path) -> Any:
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

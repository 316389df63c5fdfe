"""SQL of imports: how far each is, and a piece of one with its progress in one commit."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.core import exact_json

_COLUMNS = (
    "id, name, kind, state, checks_only, map, size, done, rows, taken, consents, rejected, rejects_size, position,"
    " error, started_at, changed_at"
)


class Import(Struct):
    """A row of `import`."""

    id: bytes
    name: str
    kind: str
    state: str
    checks_only: bool
    map: Any
    size: int
    done: int = 0
    rows: int = 0
    taken: int = 0
    consents: int = 0
    rejected: int = 0
    rejects_size: int = 0
    position: int = 0
    error: str | None = None
    started_at: int = 0
    changed_at: int = 0


async def begin(conn: AsyncConnection[Any], workspace: int, new: Import) -> Import:
    """As it stands: new, or as far as it came. One that failed is taken up again."""
    await conn.execute(
        """INSERT INTO import (workspace, id, name, kind, state, checks_only, map, size, done, rows, taken, consents,
                               rejected, rejects_size, position, started_at, changed_at)
           VALUES (%s, %s, %s, %s, 'running', %s, %s, %s, 0, 0, 0, 0, 0, 0, 0, real_now(), real_now())
           ON CONFLICT (workspace, id) DO UPDATE SET state = 'running', error = NULL WHERE import.state = 'failed'""",
        [workspace, new.id, new.name, new.kind, new.checks_only, exact_json.encode(new.map).decode(), new.size],
    )
    found = await current(conn, workspace, new.id)
    assert found  # noqa: S101  # it was written above
    return found


async def current(conn: AsyncConnection[Any], workspace: int, id_: bytes) -> Import | None:
    found = await conn.execute(f"SELECT {_COLUMNS} FROM import WHERE workspace = %s AND id = %s", [workspace, id_])  # type: ignore[arg-type]  # noqa: S608
    row = await found.fetchone()
    return _import(row) if row else None


async def listed(conn: AsyncConnection[Any], workspace: int, before: int, limit: int) -> list[Import]:
    """Newest first."""
    found = await conn.execute(
        f"SELECT {_COLUMNS} FROM import WHERE workspace = %s AND started_at < %s ORDER BY started_at DESC LIMIT %s",  # type: ignore[arg-type]  # noqa: S608
        [workspace, before, limit],
    )
    return [_import(row) for row in await found.fetchall()]


def _import(row: tuple[Any, ...]) -> Import:
    found = Import(*row)
    found.map = exact_json.decode(found.map.encode())
    return found


async def running(conn: AsyncConnection[Any]) -> list[tuple[int, bytes]]:
    """(workspace, id) of those that began and did not end."""
    found = await conn.execute("SELECT workspace, id FROM import WHERE state = 'running' ORDER BY started_at")
    return await found.fetchall()


async def advance(conn: AsyncConnection[Any], workspace: int, rows_before: int, now: Import) -> bool:
    """Say how far it is; False when another run of it was faster, and what goes with this must not be."""
    moved = await conn.execute(
        """UPDATE import SET state = %s, done = %s, rows = %s, taken = %s, consents = %s, rejected = %s,
                  rejects_size = %s, position = %s, changed_at = real_now()
           WHERE workspace = %s AND id = %s AND rows = %s AND state = 'running'""",
        [
            now.state, now.done, now.rows, now.taken, now.consents, now.rejected, now.rejects_size, now.position,
            workspace, now.id, rows_before,
        ],
    )  # fmt: skip
    return moved.rowcount == 1


async def place(conn: AsyncConnection[Any], workspace: int, id_: bytes, position: int) -> None:
    """Where in the log its newest piece is."""
    await conn.execute("UPDATE import SET position = %s WHERE workspace = %s AND id = %s", [position, workspace, id_])


async def fail(conn: AsyncConnection[Any], workspace: int, id_: bytes, error: str) -> None:
    await conn.execute(
        """UPDATE import SET state = 'failed', error = %s, changed_at = real_now()
           WHERE workspace = %s AND id = %s AND state = 'running'""",
        [error, workspace, id_],
    )


PARQUET = "SELECT * FROM read_parquet({file})"
PARQUET_ROWS = "SELECT coalesce(sum(num_rows), 0)::BIGINT FROM parquet_file_metadata({file})"

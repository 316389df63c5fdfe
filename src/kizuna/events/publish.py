"""Publish a definition: an immutable version, and a row in every partition, so that history knows when it ruled."""

from __future__ import annotations

from typing import Any

import msgspec
from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.engine.batch import Publish
from kizuna.engine.slice import Workspace
from kizuna.events import store

JUDGES_EVERYONE = frozenset(("segment", "journey", "campaign"))  # kinds whose rules look at history


async def publish(
    conn: AsyncConnection[Any],
    workspace: Workspace,
    kind: str,
    name: str,
    body: dict[str, Any] | None,
    *,
    status: str = "active",
    sweep: str = "",
    tell: str = "",
) -> tuple[int | None, int]:
    """Introduce `body` under `name` (None: retire it) in the caller's transaction; its version and position.

    `sweep` names a section whose records are woken at once, as when a journey stops; `tell` says why every profile,
    also one without that section, must hear of it.
    """
    program = await store.next_program(conn, workspace.id)
    at = await accounts.now(conn, workspace.id)
    version = await store.replace_definition(conn, workspace.id, program, kind, name, body, status, at)
    row = msgspec.msgpack.encode(Publish(program, sweep))
    root, offsets = await store.append_publish(conn, workspace.id, workspace.partitions, row)
    await store.date_definition(conn, workspace.id, program)
    if kind in JUDGES_EVERYONE:
        await store.ask_for_fill(conn, workspace.id, program, root, offsets, tell or kind)
    await conn.execute("NOTIFY kizuna_log")
    await conn.execute("NOTIFY kizuna_fill")
    return version, root

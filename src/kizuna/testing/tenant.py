"""A workspace made by hand, for tests that look below the API."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from psycopg import Connection

from kizuna.core import exact_json, ids
from kizuna.engine.append import append_statements
from kizuna.engine.moment import Item

PARTITIONS = 64


def make_workspace(connection: Connection[Any], name: str = "shop", *, now: int | None = None) -> int:
    """A live workspace, or one with a test clock at `now`; its log heads stand at the beginning."""
    row = connection.execute(
        """INSERT INTO workspace (name, clock, now, zone, currency, consent, created_at)
           VALUES (%s, %s, %s, 'UTC', 'JPY', 'opt_out', 0) RETURNING id""",
        [name, "live" if now is None else "test", now],
    ).fetchone()
    assert row  # noqa: S101
    connection.execute(
        "INSERT INTO log_head (workspace, partition) SELECT %s, generate_series(0, %s)", [row[0], PARTITIONS - 1]
    )
    connection.commit()
    return row[0]


def append(connection: Connection[Any], workspace: int, items: Iterable[Item]) -> int:
    """Append and commit; the position."""
    row = None
    for statement in append_statements(workspace, list(items), PARTITIONS, None):
        row = connection.execute(*statement)
    assert row is not None  # noqa: S101
    found: Any = row.fetchone()
    connection.commit()
    return found[2]


def an_item(
    workspace: int,
    message: str,
    *,
    user: str = "",
    anon: str = "",
    kind: str = "track",
    name: str = "Viewed",
    at: int | None = None,
    properties: dict[str, Any] | None = None,
) -> Item:
    """An item as ingest would make it."""
    when = time.time_ns() // 1000 if at is None else at
    profile = ids.profile_id(workspace, "user" if user else "anon", user or anon)
    return Item(profile, message, kind, name, when, exact_json.encode(properties or {}), b"", user, anon, when)

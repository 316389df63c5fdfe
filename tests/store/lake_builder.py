"""Histories for lake tests: rows put into the log as the engine would leave them, folded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, json, msgpack
from psycopg import Connection

from kizuna.core import ids
from kizuna.engine.moment import Item
from kizuna.runtime.lake.query import Lake

START = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
PARTITIONS = 8


class Place(Struct):
    """Where the lake of a test lies."""

    data: Path
    lake_url: str = ""


class History:
    """One workspace and its log."""

    def __init__(
        self, connection: Connection[Any], zone: str = "Asia/Tokyo", currency: str = "JPY", name: str = "shop"
    ) -> None:
        self.connection = connection
        found: Any = connection.execute(
            """INSERT INTO workspace (name, clock, now, zone, currency, consent, created_at)
               VALUES (%s, 'test', %s, %s, %s, 'opt_out', 0) RETURNING id""",
            [name, START, zone, currency],
        ).fetchone()
        self.workspace: int = found[0]
        self.zone, self.currency = zone, currency
        self.at = START
        self.last: tuple[int, int] = (0, 0)

    def say(self, items: Sequence[Item], *, folded: bool = True, kind: int = 0) -> None:
        """Append items, one row per partition, in the order given."""
        grouped: dict[int, list[Item]] = {}
        for item in items:
            grouped.setdefault(ids.partition_of(item.profile, PARTITIONS), []).append(item)
        for partition, group in grouped.items():
            self._append(partition, kind, len(group), msgpack.encode(group), folded)

    def fact(self, profile: bytes, name: str, timestamp: int, **properties: Any) -> None:
        item = Item(profile, f"f{self.at}", "fact", name, timestamp, json.encode(properties))
        self.say([item], kind=1)

    def tick(self) -> None:
        self._append(0, 2, 0, b"", True)

    def duplicate(self, index: int) -> None:
        """Say that an item of the newest row was not applied."""
        self.connection.execute("INSERT INTO duplicate VALUES (%s, %s, %s, %s)", [self.workspace, *self.last, index])

    def ask(self, lake: Lake, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        return lake.query_sync(self.connection, self.workspace, sql, params)

    def column(self, name: str) -> list[int]:
        return [row[0] for row in self.connection.execute(f"SELECT {name} FROM log_head ORDER BY partition")]  # type: ignore[arg-type]

    def count(self, table: str) -> int:
        found: Any = self.connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[arg-type]
        return found[0]

    def partition_of(self, user: str) -> int:
        return ids.partition_of(ids.profile_id(1, "user", user), PARTITIONS)

    def _append(self, partition: int, kind: int, items: int, body: bytes, folded: bool) -> None:
        self.at += 1000
        found: Any = self.connection.execute(
            """INSERT INTO log_head (workspace, partition, "offset", at) VALUES (%s, %s, 1, %s)
               ON CONFLICT (workspace, partition) DO UPDATE SET "offset" = log_head."offset" + 1, at = excluded.at
               RETURNING "offset" """,
            [self.workspace, partition, self.at],
        ).fetchone()
        self.last = (partition, found[0])
        self.connection.execute(
            "INSERT INTO log VALUES (%s, %s, %s, %s, 0, %s, %s, '', %s)",
            [self.workspace, partition, found[0], self.at, kind, items, body],
        )
        if folded:
            self.connection.execute(
                'UPDATE log_head SET applied = "offset" WHERE workspace = %s AND partition = %s',
                [self.workspace, partition],
            )

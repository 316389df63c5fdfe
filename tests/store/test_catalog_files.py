"""Items in a file beside their catalog: applied, compared and exported on real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec import UNSET
from psycopg.types.json import Jsonb

from kizuna.catalogs import store
from kizuna.config import Config
from kizuna.core.errors import Unprocessable
from kizuna.definitions import folder
from kizuna.definitions.apply import apply
from kizuna.definitions.difference import Change
from kizuna.definitions.export import export_files
from kizuna.definitions.plan import plan
from kizuna.engine.slice import Workspace
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake
from kizuna.testing.tenant import PARTITIONS, make_workspace

DECLARED = "fields:\n  price: number\nitems: goods.csv\n"


class Goods:
    """A folder of definitions with one catalog, and a workspace that it is applied to."""

    def __init__(self, connection: psycopg.Connection[Any], url: str, path: Path) -> None:
        connection.execute(
            "INSERT INTO installation (partitions, secret, created_at) VALUES (%s, '', 0) ON CONFLICT DO NOTHING",
            [PARTITIONS],
        )
        connection.commit()
        self.connection, self.url, self.path = connection, url, path
        self.id = make_workspace(connection)
        self.workspace = Workspace(self.id, "shop", "test", "UTC", "JPY", "opt_in", PARTITIONS)

    def write(self, text: str | bytes, declared: str = DECLARED) -> None:
        (self.path / "catalogs").mkdir(exist_ok=True)
        (self.path / "catalogs" / "shop.yaml").write_text(declared)
        (self.path / "catalogs" / "goods.csv").write_bytes(text if isinstance(text, bytes) else text.encode())

    def apply(self) -> list[str]:
        """What was done."""
        done = self._run(lambda database: apply(database, self.workspace, folder.read(self.path), ""))
        return [each.action for each in done.entries]

    def changes(self) -> list[Change]:
        lake = Lake(Config(data=self.path / "lake"))
        made = self._run(lambda it: plan(it, lake, self.workspace, folder.read(self.path), "", patience=0))
        return [change for line in made.lines for change in line.entry.changes]

    def export(self, to: Path | None = None) -> list[str]:
        async def write(database: Database) -> list[str]:
            documents, beside = await export_files(database, self.workspace, to or self.path)
            return [*beside, *folder.write(to or self.path, documents).written]

        return self._run(write)

    def set(self, item: str, field: str, value: Any) -> None:
        async def change(database: Database) -> None:
            async with database.connection() as conn:
                said = await store.item(conn, self.id, "shop", item)
                await store.put(conn, self.id, "shop", [{**(said or {}), "id": item, field: value}])

        self._run(change)

    def items(self) -> list[tuple[str, str]]:
        return self.connection.execute(
            "SELECT id, body ->> 'price' FROM catalog_item WHERE workspace = %s ORDER BY id", [self.id]
        ).fetchall()

    def _run(self, ask: Callable[[Database], Coroutine[Any, Any, Any]]) -> Any:
        async def run() -> Any:
            database = Database(self.url)
            await database.open()
            try:
                return await ask(database)
            finally:
                await database.close()

        self.connection.commit()
        return asyncio.run(run())


@pytest.fixture
def goods(connection: psycopg.Connection[Any], database_url: str, tmp_path: Path) -> Goods:
    return Goods(connection, database_url, tmp_path)


def test_what_was_applied_is_no_difference_and_is_exported_as_it_was(goods: Goods, tmp_path: Path) -> None:
    goods.write("id,name,price\nmug,湯呑み,12.50\ncup,カップ,3\n".encode("cp932"))
    assert goods.apply() == ["created"]
    assert goods.items() == [("cup", "3"), ("mug", "12.50")]
    assert goods.changes() == []
    assert goods.export() == []
    other = tmp_path / "other"
    assert goods.export(other) == ["catalogs/goods.csv", "catalogs/shop.yaml"]
    assert (other / "catalogs" / "goods.csv").read_text() == "id,name,price\ncup,カップ,3\nmug,湯呑み,12.50\n"
    assert (other / "catalogs" / "shop.yaml").read_text() == "items: goods.csv\nfields:\n  price: number\n"


def test_a_plan_says_which_items_move_and_only_those_are_written(goods: Goods) -> None:
    goods.write("id,price\na,1\nb,2\nc,3\n")
    goods.apply()
    before = dict(goods.connection.execute("SELECT id, xmin::text FROM catalog_item").fetchall())
    goods.write("id,price\na,1\nb,2.5\nd,4\n")
    assert goods.changes() == [Change("items", "3 items", "3 items: 1 new, 1 changed, 1 gone")]
    assert goods.apply() == ["changed"]
    assert goods.items() == [("a", "1"), ("b", "2.5"), ("d", "4")]
    after = dict(goods.connection.execute("SELECT id, xmin::text FROM catalog_item").fetchall())
    assert after["a"] == before["a"]


def test_what_the_api_changed_is_exported_and_as_lines_where_csv_cannot_say_it(goods: Goods) -> None:
    goods.write("id,price\na,1\n")
    goods.apply()
    goods.set("a", "price", 9)
    assert goods.changes() == [Change("items", "1 items", "1 items: 0 new, 1 changed, 0 gone")]
    assert goods.export() == ["catalogs/goods.csv"]
    assert goods.changes() == []
    goods.set("a", "size", {"cm": 9})
    assert goods.export() == ["catalogs/goods.jsonl", "catalogs/shop.yaml"]
    assert goods.changes() == [Change("items", "goods.csv", "goods.jsonl")]
    assert goods.apply() == ["changed"]
    assert goods.changes() == []


def test_a_file_that_cannot_be_taken_changes_nothing(goods: Goods) -> None:
    goods.write("id,price\na,1\n")
    goods.apply()
    goods.write("id,price\na,2\nb,cheap\n")
    for ask in (goods.changes, goods.apply):
        with pytest.raises(Unprocessable) as error:
            ask()
        assert [each.message for each in error.value.errors] == ["goods.csv line 3: price: 'cheap' is no number"]
    assert goods.items() == [("a", "1")]
    (goods.path / "catalogs" / "goods.csv").unlink()
    with pytest.raises(Unprocessable):
        goods.apply()


def test_items_written_before_digests_were_kept_are_written_anew_once(goods: Goods) -> None:
    goods.write("id,price\na,1\n")
    goods.apply()
    goods.connection.execute("UPDATE catalog_item SET digest = NULL, body = %s", [Jsonb({"id": "a", "price": 1})])
    assert [each.was for each in goods.changes()] == ["1 items"]
    goods.apply()
    assert goods.changes() == []


def test_a_catalog_without_a_file_keeps_its_items(goods: Goods) -> None:
    goods.write("id,price\na,1\n")
    goods.apply()
    goods.write("", "fields:\n  price: number\n")
    assert goods.changes() == [Change("items", "goods.csv", UNSET)]
    goods.apply()
    assert goods.items() == [("a", "1")]
    assert goods.export() == []

"""Write items of a catalog: all of one request or none, within its bounds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.catalogs import store
from kizuna.catalogs.catalog import Catalog
from kizuna.catalogs.item import MOST_BYTES, MOST_ITEMS, Item, checked
from kizuna.catalogs.item_file import Writer, digests_of, items_of
from kizuna.core.errors import Invalid, NotFound, Unprocessable

PIECE = 1_000  # items of a file read or written by one statement
LINES = ".jsonl"  # says any item


async def write(conn: AsyncConnection[Any], workspace: int, name: str, items: Sequence[Any], pointer: str) -> None:
    """Add items, or put them in the place of those with their ids."""
    catalog = await held(conn, workspace, name)
    await store.put(conn, workspace, name, checked(catalog, items, pointer))
    await _fits(conn, workspace, name)


async def replace(conn: AsyncConnection[Any], workspace: int, name: str, items: Sequence[Any]) -> None:
    """These are all."""
    await held(conn, workspace, name)
    await store.clear(conn, workspace, name)
    await write(conn, workspace, name, items, "/items")


class Differing(Struct, frozen=True):
    """How a file's items differ from those that are held."""

    new: frozenset[str]
    changed: frozenset[str]
    gone: list[str]
    held: int

    @property
    def is_any(self) -> bool:
        return bool(self.new or self.changed or self.gone)


async def differing(conn: AsyncConnection[Any], workspace: int, name: str, path: Path, catalog: Catalog) -> Differing:
    """Raises `Invalid` for a file that cannot be taken."""
    wanted, had = digests_of(path, catalog), await store.digests(conn, workspace, name)
    changed = frozenset(item for item, said in wanted.items() if item in had and had[item] != said)
    return Differing(frozenset(wanted.keys() - had.keys()), changed, sorted(had.keys() - wanted.keys()), len(had))


async def take_file(conn: AsyncConnection[Any], workspace: int, name: str, path: Path) -> None:
    """Its items are all; only what differs is written."""
    catalog = await held(conn, workspace, name)
    found = await differing(conn, workspace, name, path, catalog)
    await store.drop(conn, workspace, name, found.gone)
    wanted = (item for item in items_of(path, catalog) if item["id"] in found.new or item["id"] in found.changed)
    while piece := list(islice(wanted, PIECE)):
        await store.put(conn, workspace, name, piece)
    await _fits(conn, workspace, name)


async def save_file(
    conn: AsyncConnection[Any], workspace: int, name: str, path: Path, catalog: Catalog
) -> tuple[Path, bool]:
    """The file that says all items, and whether it was written: what CSV cannot say is written as JSON lines."""
    said = await store.digests(conn, workspace, name)
    if _says(path, catalog, said):
        return path, False
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".new.{path.name}")
    await _write(conn, workspace, name, unfinished)
    if path.suffix != LINES and not _says(unfinished, catalog, said):
        unfinished.unlink()
        return await save_file(conn, workspace, name, path.with_suffix(LINES), catalog)
    unfinished.replace(path)
    return path, True


def _says(path: Path, catalog: Catalog, said: dict[str, bytes]) -> bool:
    try:
        return digests_of(path, catalog) == said
    except Invalid:
        return False


async def _write(conn: AsyncConnection[Any], workspace: int, name: str, path: Path) -> None:
    after, writer = "", Writer(path, await store.keys(conn, workspace, name))
    try:
        while items := await store.exact_items(conn, workspace, name, after, PIECE):
            writer.write(items)
            after = items[-1]["id"]
    finally:
        writer.close()


async def change(conn: AsyncConnection[Any], workspace: int, name: str, item: str, said: dict[str, Any]) -> Item:
    """Set some fields of one; `null` removes a field."""
    await held(conn, workspace, name)
    body = await store.item(conn, workspace, name, item)
    if body is None:
        raise NotFound(f"no item {item!r} in catalog {name!r}")
    made = {key: value for key, value in {**body, **said, "id": item}.items() if value is not None}
    await write(conn, workspace, name, [made], "")
    return made


async def held(conn: AsyncConnection[Any], workspace: int, name: str) -> Catalog:
    catalog = await store.hold(conn, workspace, name)
    if catalog is None:
        raise NotFound(f"no catalog {name!r} in this workspace: put it first")
    return catalog


async def _fits(conn: AsyncConnection[Any], workspace: int, name: str) -> None:
    count, size = await store.size(conn, workspace, name)
    if count > MOST_ITEMS or size > MOST_BYTES:
        limits = f"{MOST_ITEMS:,} items and {MOST_BYTES >> 20} MB"
        raise Unprocessable(f"catalog {name!r} would be larger than {limits}; nothing was taken", code="too_large")

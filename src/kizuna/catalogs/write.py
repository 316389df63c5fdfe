"""Write items of a catalog: all of one request or none, within its bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

from kizuna.catalogs import store
from kizuna.catalogs.catalog import Catalog
from kizuna.catalogs.item import MOST_BYTES, MOST_ITEMS, Item, checked
from kizuna.core.errors import NotFound, Unprocessable


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

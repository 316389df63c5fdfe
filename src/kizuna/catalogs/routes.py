"""HTTP of catalogs."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, delete, get, patch, post, put
from litestar.params import Parameter

from kizuna.accounts.caller import Caller
from kizuna.catalogs import store
from kizuna.catalogs.catalog import LONGEST_NAME, read
from kizuna.catalogs.item import Item
from kizuna.catalogs.write import change, held, replace, write
from kizuna.core import clock
from kizuna.core.errors import FieldError, Invalid, NotFound
from kizuna.events import store as events
from kizuna.events.publish import publish
from kizuna.runtime.database import Database

Limit = Annotated[int, Parameter(ge=1, le=1000)]


@put("/api/v1/catalogs/{name:str}")
async def put_catalog(name: str, data: dict[str, Any], caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Declare `{fields?, selections?}`; with `items`, those are all it has from now on, else they stay."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise Invalid(f"a catalog's name has 1 to {LONGEST_NAME} characters", code="invalid_name")
    body = {key: value for key, value in data.items() if key != "items"}
    read(body)
    items = data.get("items")
    if "items" in data and not isinstance(items, list):
        wrong = FieldError("/items", "invalid", "a list of objects, each with an `id`")
        raise Invalid("items are a list", code="invalid_item", errors=[wrong])
    async with database.connection() as conn:
        _, position = await publish(conn, caller.workspace, "catalog", name, body)
        if items is not None:
            await replace(conn, caller.workspace.id, name, items)
        shown = await _shown(conn, caller.workspace.id, name)
    return Response(shown, headers={"Kizuna-Position": str(position)})


@get("/api/v1/catalogs")
async def list_catalogs(caller: Caller, database: Database, limit: Limit = 100, cursor: str = "") -> dict[str, Any]:
    """By name, each with how many items it has."""
    async with database.connection() as conn:
        rows = await store.listed(conn, caller.workspace.id, cursor, limit)
        counts = await store.counts(conn, caller.workspace.id, [row[0] for row in rows])
    items = [{**_catalog(row), "item_count": counts.get(row[0], 0)} for row in rows]
    return {"items": items, "next_cursor": rows[-1][0] if len(rows) == limit else None}


@get("/api/v1/catalogs/{name:str}")
async def get_catalog(name: str, caller: Caller, database: Database) -> dict[str, Any]:
    """Its declaration, and how many items it has."""
    async with database.connection() as conn:
        return await _shown(conn, caller.workspace.id, name)


@delete("/api/v1/catalogs/{name:str}", status_code=204)
async def delete_catalog(name: str, caller: Caller, database: Database) -> Response[None]:
    """With all its items."""
    async with database.connection() as conn:
        await held(conn, caller.workspace.id, name)
        await store.clear(conn, caller.workspace.id, name)
        _, position = await publish(conn, caller.workspace, "catalog", name, None)
    return Response(None, status_code=204, headers={"Kizuna-Position": str(position)})


@post("/api/v1/catalogs/{name:str}/items", status_code=200)
async def add_items(
    name: str, data: dict[str, list[Any]], caller: Caller, database: Database
) -> Response[dict[str, Any]]:
    """A piece `{items: [...]}` of a large catalog: those with a known id take the place of what had it."""
    async with database.connection() as conn:
        await write(conn, caller.workspace.id, name, data.get("items", []), "/items")
        return await _answer(conn, await _shown(conn, caller.workspace.id, name))


@get("/api/v1/catalogs/{name:str}/items")
async def list_items(
    name: str, caller: Caller, database: Database, limit: Limit = 100, cursor: str = ""
) -> dict[str, Any]:
    """By id."""
    async with database.connection() as conn:
        await _shown(conn, caller.workspace.id, name)
        items = await store.items(conn, caller.workspace.id, name, cursor, limit)
    return {"items": items, "next_cursor": items[-1]["id"] if len(items) == limit else None}


@get("/api/v1/catalogs/{name:str}/items/{item:str}")
async def get_item(name: str, item: str, caller: Caller, database: Database) -> Item:
    """One thing."""
    async with database.connection() as conn:
        found = await store.item(conn, caller.workspace.id, name, item)
    if found is None:
        raise NotFound(f"no item {item!r} in catalog {name!r}")
    return found


@put("/api/v1/catalogs/{name:str}/items/{item:str}")
async def put_item(
    name: str, item: str, data: dict[str, Any], caller: Caller, database: Database
) -> Response[dict[str, Any]]:
    """In the place of what had this id, or new."""
    made = {**data, "id": item}
    async with database.connection() as conn:
        await write(conn, caller.workspace.id, name, [made], "")
        return await _answer(conn, made)


@patch("/api/v1/catalogs/{name:str}/items/{item:str}")
async def patch_item(
    name: str, item: str, data: dict[str, Any], caller: Caller, database: Database
) -> Response[dict[str, Any]]:
    """Set some fields; `null` removes one."""
    async with database.connection() as conn:
        return await _answer(conn, await change(conn, caller.workspace.id, name, item, data))


@delete("/api/v1/catalogs/{name:str}/items/{item:str}", status_code=204)
async def delete_item(name: str, item: str, caller: Caller, database: Database) -> None:
    """Templates that name it find it no more."""
    async with database.connection() as conn:
        if not await store.remove(conn, caller.workspace.id, name, item):
            raise NotFound(f"no item {item!r} in catalog {name!r}")


async def _answer(conn: Any, body: dict[str, Any]) -> Response[dict[str, Any]]:
    """Items are no part of the log: whoever waits for this write waits for what was accepted before it."""
    return Response(body, headers={"Kizuna-Position": str(await events.last_position(conn))})


async def _shown(conn: Any, workspace: int, name: str) -> dict[str, Any]:
    row = await store.current(conn, workspace, name)
    if row is None:
        raise NotFound(f"no catalog {name!r} in this workspace")
    count, size = await store.size(conn, workspace, name)
    return {**_catalog(row), "item_count": count, "bytes": size}


def _catalog(row: store.Row) -> dict[str, Any]:
    name, version, body, published_at = row
    declared = {"fields": {}, "selections": [], **body}
    return {**declared, "name": name, "version": version, "published_at": clock.show(published_at)}


ROUTES = [
    put_catalog, list_catalogs, get_catalog, delete_catalog, add_items, list_items, get_item, put_item, patch_item,
    delete_item,
]  # fmt: skip

"""SQL of catalogs. What templates draw is a statement: the sender and the preview run it each on their own cursor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from psycopg import AsyncConnection

from kizuna.catalogs.catalog import Catalog, Selection
from kizuna.catalogs.item import Item, digest
from kizuna.core import exact_json

Statement = tuple[Any, list[Any]]
Row = tuple[str, int, dict[str, Any], int]  # name, version, body, published_at
_COMPARED = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


# what templates draw -------------------------------------------------------------------------------------------------


def declared(workspace: int, names: Sequence[str]) -> Statement:
    """(name, body) of catalogs that rule."""
    return (
        "SELECT name, body FROM definition WHERE workspace = %s AND kind = 'catalog' AND retired IS NULL"
        " AND name = ANY(%s::text[])",
        [workspace, list(names)],
    )


def items_of(workspace: int, wanted: Iterable[tuple[str, str]]) -> Statement:
    """(catalog, id, body) of items by (catalog, id)."""
    pairs = sorted(set(wanted))
    return (
        "SELECT catalog, id, body FROM catalog_item WHERE workspace = %s"
        " AND (catalog, id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
        [workspace, [pair[0] for pair in pairs], [pair[1] for pair in pairs]],
    )


def selected(workspace: int, catalog: str, selection: Selection) -> Statement:
    """(body,) of what a selection names, in its order; items without the field of the order come last."""
    where, values = ["workspace = %s", "catalog = %s"], list[Any]([workspace, catalog])
    for field, said in selection.where.items():
        for operator, value in said.items():
            text, more = _condition(field, operator, value)
            where.append(text)
            values += more
    order = "id"
    if selection.sort is not None:
        order = f"nullif(body -> %s::text, 'null') {'DESC' if selection.sort.descending else 'ASC'} NULLS LAST, id"
        values.append(selection.sort.field)
    text = f"SELECT body FROM catalog_item WHERE {' AND '.join(where)} ORDER BY {order} LIMIT %s"  # noqa: S608  # our own words
    return text, [*values, selection.limit]


def _condition(field: str, operator: str, value: Any) -> Statement:
    """Values of other types make a comparison false."""
    if operator in _COMPARED:
        kind, cast = ("string", 'text COLLATE "C"') if isinstance(value, str) else ("number", "numeric")
        compared = f"(body ->> %s::text)::{cast} {_COMPARED[operator]} %s::{cast.partition(' ')[0]}"
        text = f"CASE jsonb_typeof(body -> %s::text) WHEN '{kind}' THEN {compared} ELSE false END"
        return text, [field, field, value]
    match operator:
        case "exists":
            return "(body ->> %s::text IS NOT NULL) = %s", [field, value]
        case "in":
            return "body -> %s::text = ANY(%s::text[]::jsonb[])", [field, [_json(each) for each in value]]
        case "contains":
            text = (
                "CASE jsonb_typeof(body -> %s::text) WHEN 'string' THEN position(%s::text IN body ->> %s::text) > 0"
                " WHEN 'array' THEN body -> %s::text @> %s::jsonb ELSE false END"
            )
            return text, [field, str(value), field, field, _json([value])]
        case _:
            sign = "IS NOT DISTINCT FROM" if operator == "is" else "IS DISTINCT FROM"
            return f"(body -> %s::text) {sign} %s::jsonb", [field, _json(value)]


def _json(value: Any) -> str:
    return exact_json.encode(value).decode()


# what the API writes and reads ---------------------------------------------------------------------------------------


async def hold(conn: AsyncConnection[Any], workspace: int, name: str) -> Catalog | None:
    """What is declared; others who write its items wait until this transaction ends."""
    found = await conn.execute(
        "SELECT body FROM definition WHERE workspace = %s AND kind = 'catalog' AND name = %s AND retired IS NULL"
        " FOR UPDATE",
        [workspace, name],
    )
    row = await found.fetchone()
    return msgspec.convert(row[0], Catalog) if row else None


async def listed(conn: AsyncConnection[Any], workspace: int, after: str, limit: int) -> list[Row]:
    found = await conn.execute(
        "SELECT name, version, body, published_at FROM definition WHERE workspace = %s AND kind = 'catalog'"
        " AND retired IS NULL AND name > %s ORDER BY name LIMIT %s",
        [workspace, after, limit],
    )
    return await found.fetchall()


async def current(conn: AsyncConnection[Any], workspace: int, name: str) -> Row | None:
    found = await conn.execute(
        "SELECT name, version, body, published_at FROM definition WHERE workspace = %s AND kind = 'catalog'"
        " AND retired IS NULL AND name = %s",
        [workspace, name],
    )
    return await found.fetchone()


async def size(conn: AsyncConnection[Any], workspace: int, name: str) -> tuple[int, int]:
    """Items and bytes."""
    found = await conn.execute(
        "SELECT count(*), coalesce(sum(size), 0)::bigint FROM catalog_item WHERE workspace = %s AND catalog = %s",
        [workspace, name],
    )
    row = await found.fetchone()
    return row if row else (0, 0)


async def counts(conn: AsyncConnection[Any], workspace: int, names: Sequence[str]) -> dict[str, int]:
    """Items by catalog, of those that have any."""
    found = await conn.execute(
        "SELECT catalog, count(*) FROM catalog_item WHERE workspace = %s AND catalog = ANY(%s::text[])"
        " GROUP BY catalog",
        [workspace, list(names)],
    )
    return dict(await found.fetchall())


async def put(conn: AsyncConnection[Any], workspace: int, name: str, items: Sequence[Item]) -> None:
    """Items that are new, or take the place of those with the same id."""
    bodies = [_json(item) for item in items]
    await conn.execute(
        "INSERT INTO catalog_item (workspace, catalog, id, body, size, digest)"
        " SELECT %s, %s, id, body::jsonb, size, digest"
        " FROM unnest(%s::text[], %s::text[], %s::integer[], %s::bytea[]) AS new (id, body, size, digest)"
        " ON CONFLICT (workspace, catalog, id)"
        " DO UPDATE SET body = excluded.body, size = excluded.size, digest = excluded.digest",
        [workspace, name, [item["id"] for item in items], bodies, [len(body.encode()) for body in bodies],
         [digest(item) for item in items]],
    )  # fmt: skip


async def digests(conn: AsyncConnection[Any], workspace: int, name: str) -> dict[str, bytes]:
    """Of each item by its id; empty of one that was written before digests were kept."""
    found = await conn.execute(
        "SELECT id, coalesce(digest, '') FROM catalog_item WHERE workspace = %s AND catalog = %s", [workspace, name]
    )
    return {item: bytes(said) for item, said in await found.fetchall()}


async def keys(conn: AsyncConnection[Any], workspace: int, name: str) -> list[str]:
    """The fields that any item has."""
    found = await conn.execute(
        "SELECT DISTINCT key FROM catalog_item, jsonb_object_keys(body) key"
        " WHERE workspace = %s AND catalog = %s ORDER BY key",
        [workspace, name],
    )
    return [row[0] for row in await found.fetchall()]


async def clear(conn: AsyncConnection[Any], workspace: int, name: str) -> None:
    await conn.execute("DELETE FROM catalog_item WHERE workspace = %s AND catalog = %s", [workspace, name])


async def drop(conn: AsyncConnection[Any], workspace: int, name: str, gone: Sequence[str]) -> None:
    """Several at once."""
    await conn.execute(
        "DELETE FROM catalog_item WHERE workspace = %s AND catalog = %s AND id = ANY(%s::text[])",
        [workspace, name, list(gone)],
    )


async def remove(conn: AsyncConnection[Any], workspace: int, name: str, item: str) -> bool:
    """Says whether it was there."""
    found = await conn.execute(
        "DELETE FROM catalog_item WHERE workspace = %s AND catalog = %s AND id = %s", [workspace, name, item]
    )
    return found.rowcount > 0


async def item(conn: AsyncConnection[Any], workspace: int, name: str, item: str) -> Item | None:
    found = await conn.execute(
        "SELECT body FROM catalog_item WHERE workspace = %s AND catalog = %s AND id = %s", [workspace, name, item]
    )
    row = await found.fetchone()
    return row[0] if row else None


async def items(conn: AsyncConnection[Any], workspace: int, name: str, after: str, limit: int) -> list[Item]:
    found = await conn.execute(
        "SELECT body FROM catalog_item WHERE workspace = %s AND catalog = %s AND id > %s ORDER BY id LIMIT %s",
        [workspace, name, after, limit],
    )
    return [row[0] for row in await found.fetchall()]


async def exact_items(conn: AsyncConnection[Any], workspace: int, name: str, after: str, limit: int) -> list[Item]:
    """As `items`, with the fractions as they are kept."""
    found = await conn.execute(
        "SELECT body::text FROM catalog_item WHERE workspace = %s AND catalog = %s AND id > %s ORDER BY id LIMIT %s",
        [workspace, name, after, limit],
    )
    return [exact_json.decode(row[0].encode()) for row in await found.fetchall()]

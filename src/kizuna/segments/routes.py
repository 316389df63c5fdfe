"""HTTP of segments."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import Parameter
from msgspec import Struct

from kizuna.accounts.caller import Caller
from kizuna.core import clock, ids
from kizuna.core.errors import FieldError, Invalid, NotFound
from kizuna.events.publish import publish
from kizuna.profiles.fold import identities
from kizuna.profiles.section import Profile
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake
from kizuna.segments import store
from kizuna.segments.preview import preview
from kizuna.segments.program import check_references
from kizuna.segments.rule import parse

Limit = Annotated[int, Parameter(ge=1, le=1000)]
LONGEST_NAME = 100


class SegmentBody(Struct, forbid_unknown_fields=True):
    where: Any
    title: str = ""


class Asked(Struct, forbid_unknown_fields=True):
    where: Any


@put("/api/v1/segments/{name:str}")
async def put_segment(name: str, data: SegmentBody, caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Publish a version; a rule that cannot be is refused with the place and the reason."""
    if not name.strip() or len(name) > LONGEST_NAME:
        problem = FieldError("/name", "invalid_name", f"1 to {LONGEST_NAME} characters")
        raise Invalid("the segment's name cannot be used", code="invalid_name", errors=[problem])
    rule = parse(data.where)
    workspace = caller.workspace
    async with database.connection() as conn:
        known = {other: parse(where) for other, where in (await store.rules(conn, workspace.id)).items()}
        check_references({**known, name: rule}, name)
        body = {"title": data.title or name, "where": data.where}
        _, position = await publish(conn, workspace, "segment", name, body)
        shown = await _shown(conn, workspace.id, name)
    return Response(shown, headers={"Kizuna-Position": str(position)})


@get("/api/v1/segments")
async def list_segments(caller: Caller, database: Database, limit: Limit = 100, cursor: str = "") -> dict[str, Any]:
    async with database.connection() as conn:
        rows = await store.shown(conn, caller.workspace.id, "", cursor, limit)
    return {"items": [_segment(*row) for row in rows], "next_cursor": rows[-1][0] if len(rows) == limit else None}


@get("/api/v1/segments/{name:str}")
async def get_segment(name: str, caller: Caller, database: Database) -> dict[str, Any]:
    async with database.connection() as conn:
        return await _shown(conn, caller.workspace.id, name)


@delete("/api/v1/segments/{name:str}", status_code=204)
async def delete_segment(name: str, caller: Caller, database: Database) -> Response[None]:
    """Retire it: its members leave."""
    async with database.connection() as conn:
        await _shown(conn, caller.workspace.id, name)
        _, position = await publish(conn, caller.workspace, "segment", name, None)
    return Response(None, status_code=204, headers={"Kizuna-Position": str(position)})


@post("/api/v1/segments/preview", status_code=200)
async def preview_segment(data: Asked, caller: Caller, database: Database, lake: Lake) -> dict[str, Any]:
    rule = parse(data.where)
    async with database.connection() as conn:
        known = {name: parse(where) for name, where in (await store.rules(conn, caller.workspace.id)).items()}
    check_references({**known, "": rule}, "")
    return await preview(lake, database, caller.workspace, rule)


@get("/api/v1/segments/{name:str}/members")
async def segment_members(
    name: str, caller: Caller, database: Database, limit: Limit = 100, cursor: str = ""
) -> dict[str, Any]:
    after = ids.read("prf", cursor) if cursor else b""
    async with database.connection() as conn:
        await _shown(conn, caller.workspace.id, name)
        rows = await store.members(conn, caller.workspace.id, name, after, limit)
    items = [
        {"id": ids.show("prf", bytes(profile)), "identities": _names(section), "entered_at": clock.show(entered_at)}
        for profile, entered_at, section in rows
    ]
    return {"items": items, "next_cursor": items[-1]["id"] if len(items) == limit else None}


async def _shown(conn: Any, workspace: int, name: str) -> dict[str, Any]:
    rows = await store.shown(conn, workspace, name, "", 1)
    if not rows:
        raise NotFound(f"no segment {name!r} in this workspace")
    return _segment(*rows[0])


def _segment(name: str, body: dict[str, Any], version: int, size: int, filling: bool) -> dict[str, Any]:
    return {
        "name": name,
        "title": body.get("title") or name,
        "where": body["where"],
        "version": version,
        "size": size,
        "state": "filling" if filling else "live",
    }


def _names(section: bytes | None) -> list[dict[str, str]]:
    return identities(msgspec.msgpack.decode(section, type=Profile)) if section else []


ROUTES = [
    put_segment, list_segments, get_segment, delete_segment, preview_segment, segment_members,
]  # fmt: skip

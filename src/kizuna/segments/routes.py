"""HTTP of segments."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import Parameter, QueryParameter
from msgspec import Struct

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.core import clock, ids
from kizuna.core.errors import FieldError, Invalid, NotFound
from kizuna.engine.record import decoder_of
from kizuna.events.publish import publish
from kizuna.profiles.fold import identities
from kizuna.profiles.section import Profile
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake
from kizuna.segments import store
from kizuna.segments.preview import preview
from kizuna.segments.program import check_references
from kizuna.segments.rule import parse
from kizuna.segments.sizes import sizes
from kizuna.segments.upload import list_of, upload

_profile = decoder_of(Profile)

Limit = Annotated[int, Parameter(ge=1, le=1000)]
LONGEST_NAME = 100


class SegmentBody(Struct, forbid_unknown_fields=True):
    """A rule, or the refs of an uploaded list."""

    where: Any = msgspec.UNSET
    refs: list[str] | msgspec.UnsetType = msgspec.field(name="list", default=msgspec.UNSET)
    title: str = ""


class Asked(Struct, forbid_unknown_fields=True):
    where: Any


@put("/api/v1/segments/{name:str}")
async def put_segment(name: str, data: SegmentBody, caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Publish a version; a rule that cannot be is refused with the place and the reason. Or replace a list."""
    if not name.strip() or len(name) > LONGEST_NAME:
        problem = FieldError("/name", "invalid_name", f"1 to {LONGEST_NAME} characters")
        raise Invalid("the segment's name cannot be used", code="invalid_name", errors=[problem])
    if (data.where is msgspec.UNSET) == (data.refs is msgspec.UNSET):
        problem = FieldError("", "invalid_segment", "one of `where` (a rule) and `list` (refs of profiles)")
        raise Invalid("a segment is a rule or a list", code="invalid_segment", errors=[problem])
    workspace = caller.workspace
    if not isinstance(data.refs, msgspec.UnsetType):
        async with database.connection() as conn:
            uploaded = await upload(conn, workspace, name, data.title or name, data.refs)
            shown = await _shown(conn, workspace.id, name)
        answer = {**shown, **{key: getattr(uploaded, key) for key in uploaded.__struct_fields__ if key != "position"}}
        return Response(answer, headers={"Kizuna-Position": str(uploaded.position)})
    rule = parse(data.where)
    async with database.connection() as conn:
        replaced = list_of(await store.current(conn, workspace.id, name))
        known = {other: parse(where) for other, where in (await store.rules(conn, workspace.id)).items()}
        check_references({**known, name: rule}, name)
        if replaced and list_of({"where": data.where}) != replaced:
            await store.forget_list(conn, workspace.id, replaced)
        body = {"title": data.title or name, "where": data.where}
        _, position = await publish(conn, workspace, "segment", name, body)
        shown = await _shown(conn, workspace.id, name)
    return Response(shown, headers={"Kizuna-Position": str(position)})


@get("/api/v1/segments")
async def list_segments(caller: Caller, database: Database, limit: Limit = 100, cursor: str = "") -> dict[str, Any]:
    """Every segment with its size."""
    async with database.connection() as conn:
        rows = await store.shown(conn, caller.workspace.id, "", cursor, limit)
    return {"items": [_segment(*row) for row in rows], "next_cursor": rows[-1][0] if len(rows) == limit else None}


@get("/api/v1/segments/{name:str}")
async def get_segment(name: str, caller: Caller, database: Database) -> dict[str, Any]:
    """One segment: its rule, version and size."""
    async with database.connection() as conn:
        return await _shown(conn, caller.workspace.id, name)


@delete("/api/v1/segments/{name:str}", status_code=204)
async def delete_segment(name: str, caller: Caller, database: Database) -> Response[None]:
    """Retire it: its members leave."""
    async with database.connection() as conn:
        await _shown(conn, caller.workspace.id, name)
        if listed := list_of(await store.current(conn, caller.workspace.id, name)):
            await store.forget_list(conn, caller.workspace.id, listed)
        _, position = await publish(conn, caller.workspace, "segment", name, None)
    return Response(None, status_code=204, headers={"Kizuna-Position": str(position)})


@post("/api/v1/segments/preview", status_code=200)
async def preview_segment(data: Asked, caller: Caller, database: Database, lake: Lake) -> dict[str, Any]:
    """How many customers a rule matches, with a sample; nothing is stored."""
    rule = parse(data.where)
    async with database.connection() as conn:
        known = {name: parse(where) for name, where in (await store.rules(conn, caller.workspace.id)).items()}
    check_references({**known, "": rule}, "")
    return await preview(lake, database, caller.workspace, rule)


@get("/api/v1/segments/{name:str}/members")
async def segment_members(
    name: str, caller: Caller, database: Database, limit: Limit = 100, cursor: str = ""
) -> dict[str, Any]:
    """The members now, with the time each entered."""
    after = ids.read("prf", cursor) if cursor else b""
    async with database.connection() as conn:
        await _shown(conn, caller.workspace.id, name)
        rows = await store.members(conn, caller.workspace.id, name, after, limit)
    items = [
        {"id": ids.show("prf", bytes(profile)), "identities": _names(section), "entered_at": clock.show(entered_at)}
        for profile, entered_at, section in rows
    ]
    return {"items": items, "next_cursor": items[-1]["id"] if len(items) == limit else None}


@get("/api/v1/segments/{name:str}/history")
async def segment_history(
    name: str,
    caller: Caller,
    database: Database,
    lake: Lake,
    step: str = "1d",
    since: Annotated[str, QueryParameter(name="from")] = "",
    until: Annotated[str, QueryParameter(name="to")] = "",
) -> dict[str, Any]:
    """Sizes over time; steps are cut in the workspace's zone, `value` is the size at the end of each."""
    workspace = caller.workspace
    async with database.connection() as conn:
        await _shown(conn, workspace.id, name)
        now = await accounts.now(conn, workspace.id)
    start = _instant("from", since, workspace.zone) if since else None
    end = min(_instant("to", until, workspace.zone), now + 1) if until else now + 1  # what happened now counts
    if start is not None and start > end:
        raise Invalid("`from` lies after `to`, or in the future", code="invalid_period")
    series = await sizes(lake, database, workspace.id, name, step, start, end, workspace.zone)
    return {"step": step, "zone": workspace.zone, "series": series}


def _instant(name: str, text: str, zone: str) -> int:
    found = clock.read_time(text, zone)
    if found is None:
        raise Invalid(f"`{name}` must be a date or an RFC 3339 time, not {text!r}", code="invalid_period")
    return found


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
        "kind": "list" if list_of(body) else "rule",
        "version": version,
        "size": size,
        "state": "filling" if filling else "live",
    }


def _names(section: bytes | None) -> list[dict[str, str]]:
    return identities(_profile(section)) if section else []


ROUTES = [
    put_segment, list_segments, get_segment, delete_segment, preview_segment, segment_members,
    segment_history,
]  # fmt: skip

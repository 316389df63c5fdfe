"""HTTP of profiles."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from litestar import Response, get, patch, post
from litestar.params import Parameter
from msgspec import Struct

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.core import exact_json, ids
from kizuna.core.errors import NotFound
from kizuna.engine.moment import Item
from kizuna.events import settled
from kizuna.events.log import Log
from kizuna.profiles import store, timeline
from kizuna.profiles.find import find, find_then
from kizuna.profiles.past import PastProfiles
from kizuna.profiles.resume import resume
from kizuna.profiles.show import ProfileViews
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake

Limit = Annotated[int, Parameter(ge=1, le=500)]


@get("/api/v1/profiles")
async def list_profiles(
    caller: Caller,
    database: Database,
    profile_views: ProfileViews,
    search: str = "",
    segment: str = "",
    limit: Limit = 50,
    cursor: str = "",
) -> dict[str, Any]:
    """Profiles by name, mail or id, or the members of a segment."""
    after = ids.read("prf", cursor) if cursor else b""
    async with database.connection() as conn:
        rows = await store.page(conn, caller.workspace.id, search.strip()[:200], segment, after, limit)
    items = [profile_views.brief(row) for row in rows]
    return {"items": items, "next_cursor": items[-1]["id"] if len(items) == limit else None}


@get("/api/v1/profiles/{ref:str}")
async def get_profile(
    ref: str,
    caller: Caller,
    database: Database,
    profile_views: ProfileViews,
    past: PastProfiles,
    as_of: str | None = None,
) -> dict[str, Any]:
    """As it is, or with `as_of` as it was: 404 before it existed, 400 for what is still to come."""
    async with database.connection() as conn:
        if as_of is None:
            return await _shown(conn, caller.workspace.id, ref, profile_views)
        meant, now = await find_then(conn, caller.workspace.id, ref), await accounts.now(conn, caller.workspace.id)
    return await past.as_of(caller.workspace, meant, as_of, now)


class Change(Struct, forbid_unknown_fields=True):
    """New traits; a trait of null is removed."""

    traits: dict[str, Any]


@patch("/api/v1/profiles/{ref:str}")
async def patch_profile(
    ref: str, data: Change, caller: Caller, database: Database, log: Log, profile_views: ProfileViews
) -> Response[dict[str, Any]]:
    """The same as an `identify`, answered when folded."""
    workspace = caller.workspace.id
    async with database.connection() as conn:
        profile = await find(conn, workspace, ref)
        now = await accounts.now(conn, workspace)
    item = Item(
        profile, ids.show("evt", secrets.token_bytes(16)), "identify", timestamp=now,
        properties=exact_json.encode(data.traits), received_at=now,
    )  # fmt: skip
    position = await log.append(workspace, [item])
    await settled.wait(database, workspace, position)
    async with database.connection() as conn:
        shown = await _shown(conn, workspace, ref, profile_views)
    return Response(shown, headers={"Kizuna-Position": str(position)})


@get("/api/v1/profiles/{ref:str}/timeline")
async def get_timeline(
    ref: str, caller: Caller, database: Database, lake: Lake, limit: Limit = 50, cursor: str | None = None
) -> dict[str, Any]:
    """What a profile did and what Kizuna said of it, newest first, each with its cause."""
    async with database.connection() as conn:
        profile = await find(conn, caller.workspace.id, ref)
    return await timeline.timeline(lake, database, caller.workspace.id, profile, cursor, limit)


@post("/api/v1/profiles/{ref:str}/resume", status_code=200, opt={"right": "define"})
async def resume_profile(ref: str, caller: Caller, database: Database, log: Log) -> Response[dict[str, Any]]:
    """Fold what was parked of a profile, now that the cause is gone."""
    profile, items, position = await resume(database, log, caller.workspace.id, ref)
    answer = {"profile": ids.show("prf", profile), "items": items}
    return Response(answer, headers={"Kizuna-Position": str(position)})


async def _shown(conn: Any, workspace: int, ref: str, views: ProfileViews) -> dict[str, Any]:
    row = await store.row(conn, workspace, await find(conn, workspace, ref))
    if row is None:
        raise NotFound(f"no profile {ref!r} in this workspace")
    return views.whole(row)


ROUTES = [list_profiles, get_profile, patch_profile, get_timeline, resume_profile]

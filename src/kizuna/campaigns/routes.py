"""HTTP of campaigns."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, get, post, put
from litestar.params import Parameter

from kizuna.accounts.caller import Caller
from kizuna.campaigns import launch as launching
from kizuna.campaigns import store
from kizuna.campaigns.definition import parse
from kizuna.core import clock
from kizuna.core.errors import FieldError, NotFound, Unprocessable
from kizuna.events.publish import publish
from kizuna.messages.message import OPEN
from kizuna.runtime.database import Database

Limit = Annotated[int, Parameter(ge=1, le=1000)]


@put("/api/v1/campaigns/{name:str}")
async def put_campaign(name: str, data: dict[str, Any], caller: Caller, database: Database) -> Response[dict[str, Any]]:
    campaign = parse(data)
    async with database.connection() as conn:
        if not await store.segment_exists(conn, caller.workspace.id, campaign.segment):
            problem = FieldError("/segment", "unknown_segment", "publish the segment first")
            raise Unprocessable(f"no segment {campaign.segment!r}", code="unknown_segment", errors=[problem])
        version, position = await publish(conn, caller.workspace, "campaign", name, data, status="ready")
    return Response({"name": name, "version": version}, headers={"Kizuna-Position": str(position)})


@get("/api/v1/campaigns")
async def list_campaigns(caller: Caller, database: Database, limit: Limit = 100, cursor: str = "") -> dict[str, Any]:
    async with database.connection() as conn:
        rows = await store.listed(conn, caller.workspace.id, cursor, limit)
        items = [await _shown(conn, caller.workspace.id, *row) for row in rows]
    return {"items": items, "next_cursor": items[-1]["name"] if len(items) == limit else None}


@get("/api/v1/campaigns/{name:str}")
async def get_campaign(name: str, caller: Caller, database: Database) -> dict[str, Any]:
    async with database.connection() as conn:
        found = await store.current(conn, caller.workspace.id, name)
        if found is None:
            raise NotFound(f"no campaign {name!r} in this workspace")
        return await _shown(conn, caller.workspace.id, name, *found)


@post("/api/v1/campaigns/{name:str}/launch", status_code=202)
async def launch(
    name: str, request: Request[Any, Any, Any], caller: Caller, database: Database
) -> Response[dict[str, Any]]:
    key = request.headers.get("idempotency-key")
    members, position = await launching.launch(database, caller.workspace, name, key)
    return Response({"name": name, "members": members}, status_code=202, headers={"Kizuna-Position": str(position)})


async def _shown(
    conn: Any, workspace: int, name: str, version: int, status: str, body: dict[str, Any], published_at: int
) -> dict[str, Any]:
    rows = await store.outcome(conn, workspace, name)
    reached = await store.reached(conn, workspace, name)
    skipped: dict[str, int] = {}
    variants: dict[str, dict[str, int]] = {}
    for state, reason, variant, number in rows:
        if state == "skipped":
            skipped[reason or "unknown"] = skipped.get(reason or "unknown", 0) + number
        if variant:
            arm = variants.setdefault(variant, {})
            arm[state] = arm.get(state, 0) + number
    waiting = sum(number for state, _, _, number in rows if state in OPEN)
    total = sum(number for *_, number in rows)
    return {
        "name": name,
        "version": version,
        "definition": body,
        "published_at": clock.show(published_at),
        "state": "ready" if not total else "running" if waiting else "finished",
        "planned": total,
        "waiting": waiting,
        "skipped": skipped,
        **{state: reached.get(state, 0) for state in ("sent", "delivered", "opened", "clicked", "unsubscribed")},
        "variants": variants,
    }


ROUTES = [put_campaign, list_campaigns, get_campaign, launch]

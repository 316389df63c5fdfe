"""HTTP of campaigns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from litestar import Request, Response, get, post, put
from litestar.params import Parameter
from psycopg import AsyncConnection

from kizuna.accounts.caller import Caller
from kizuna.campaigns import change, store
from kizuna.campaigns import launch as launching
from kizuna.campaigns.definition import Campaign, parse
from kizuna.campaigns.figures import PAUSED, Ledger, figures
from kizuna.campaigns.store import SCHEDULED, Current, Launch
from kizuna.core import clock, ids
from kizuna.core.errors import Conflict, FieldError, NotFound, Unprocessable
from kizuna.engine.slice import Workspace
from kizuna.events.publish import publish
from kizuna.messages.foresee import foreseen
from kizuna.messages.seed_list import SEEDS, no_seed_list
from kizuna.messages.sending import GUARD
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake
from kizuna.segments import rule
from kizuna.segments import store as segments
from kizuna.segments.program import check_references
from kizuna.templates.legal_check import check_use

Limit = Annotated[int, Parameter(ge=1, le=1000)]
Change = Callable[[AsyncConnection[Any], Workspace, str], Awaitable[int]]


@put("/api/v1/campaigns/{name:str}")
async def put_campaign(name: str, data: dict[str, Any], caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Publish a version for launches to come; a paused campaign stays paused. `warnings` say what will disappoint."""
    campaign = parse(data)
    workspace = caller.workspace
    async with database.connection() as conn:
        await _check_audience(conn, workspace, campaign)
        await _check_seeds(conn, workspace, campaign)
        await check_use(conn, workspace.id, campaign.marketing_templates())
        found = await store.current(conn, workspace.id, name)
        status = PAUSED if found and found.status == PAUSED else change.READY
        version, position = await publish(conn, workspace, "campaign", name, data, status=status)
        warnings = await foreseen(conn, workspace.id, campaign.wishes())
    said = {"warnings": warnings} if warnings else {}
    return _answer({"name": name, "version": version, **said}, position)


async def _check_audience(conn: AsyncConnection[Any], workspace: Workspace, campaign: Campaign) -> None:
    if campaign.segment is not None:
        if not await store.segment_exists(conn, workspace.id, campaign.segment):
            problem = FieldError("/segment", "unknown_segment", "publish the segment first")
            raise Unprocessable(f"no segment {campaign.segment!r}", code="unknown_segment", errors=[problem])
        return
    known = {other: rule.parse(where) for other, where in (await segments.rules(conn, workspace.id)).items()}
    check_references({**known, "": rule.parse(campaign.where, "/where")}, "")


async def _check_seeds(conn: AsyncConnection[Any], workspace: Workspace, campaign: Campaign) -> None:
    seeds = campaign.send.copied_to
    if seeds is not None and await store.ruling(conn, workspace.id, SEEDS, seeds.list) is None:
        raise no_seed_list(seeds.list, "/send/seeds")


@get("/api/v1/campaigns")
async def list_campaigns(caller: Caller, database: Database, limit: Limit = 100, cursor: str = "") -> dict[str, Any]:
    """Every campaign with its state."""
    async with database.connection() as conn:
        rows = await store.listed(conn, caller.workspace.id, cursor, limit)
        items = [await _shown(conn, caller.workspace, *row) for row in rows]
    return {"items": items, "next_cursor": items[-1]["name"] if len(items) == limit else None}


@get("/api/v1/campaigns/{name:str}")
async def get_campaign(name: str, caller: Caller, database: Database) -> dict[str, Any]:
    """One campaign: its definition, its state, and what became of its messages, with lift against the holdout."""
    async with database.connection() as conn:
        return await _shown(conn, caller.workspace, name, await _current(conn, caller.workspace, name))


@post("/api/v1/campaigns/{name:str}/launch", status_code=202)
async def launch(
    name: str, request: Request[Any, Any, Any], caller: Caller, database: Database, lake: Lake
) -> Response[dict[str, Any]]:
    """Begin: now, or at the time its schedule says."""
    key = request.headers.get("idempotency-key")
    made = await launching.launch(database, lake, caller.workspace, name, key)
    is_scheduled = made.due_at > made.asked_at
    said = {"due_at": clock.show(made.due_at)} if is_scheduled else {"members": made.members}
    return _answer({"name": name, "launch": ids.show("lch", made.id), **said}, made.position, status=202)


@post("/api/v1/campaigns/{name:str}/pause", status_code=200)
async def pause(name: str, caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Hold back what was not handed over yet."""
    return await _change(name, caller, database, change.pause)


@post("/api/v1/campaigns/{name:str}/resume", status_code=200)
async def resume(name: str, caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Go on after a pause."""
    return await _change(name, caller, database, change.resume)


@post("/api/v1/campaigns/{name:str}/cancel", status_code=200)
async def cancel(name: str, caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """End a campaign; what was not handed over yet is not sent."""
    async with database.connection() as conn:
        found = await _current(conn, caller.workspace, name)
        state = (await _shown(conn, caller.workspace, name, found))["state"]
    if state in ("draft", "finished"):
        raise Conflict(f"the campaign is {state}: there is nothing to cancel", code="nothing_to_cancel")
    return await _change(name, caller, database, change.cancel)


async def _change(name: str, caller: Caller, database: Database, act: Change) -> Response[dict[str, Any]]:
    async with database.connection() as conn:
        position = await act(conn, caller.workspace, name)
        shown = await _shown(conn, caller.workspace, name, await _current(conn, caller.workspace, name))
    return _answer({"name": name, "version": shown["version"], "state": shown["state"]}, position)


async def _current(conn: AsyncConnection[Any], workspace: Workspace, name: str) -> Current:
    found = await store.current(conn, workspace.id, name)
    if found is None:
        raise NotFound(f"no campaign {name!r} in this workspace")
    return found


async def _shown(conn: AsyncConnection[Any], workspace: Workspace, name: str, found: Current) -> dict[str, Any]:
    launches = await store.launches(conn, workspace.id, name)
    ledger = Ledger(
        launches,
        await store.outcome(conn, workspace.id, name),
        await store.reached(conn, workspace.id, name),
        await store.decided(conn, workspace.id, name),
        await store.converted(conn, workspace.id, name),
    )
    return {
        "name": name,
        "title": found.body.get("title") or None,
        "version": found.version,
        "definition": found.body,
        "published_at": clock.show(found.published_at),
        **figures(found.status, ledger, workspace.currency, has_goal=bool(found.body.get("goal"))),
        "paused": await _why_paused(conn, workspace.id, name) if found.status == PAUSED else None,
        "launches": [_launch(each) for each in launches],
    }


async def _why_paused(conn: AsyncConnection[Any], workspace: int, name: str) -> dict[str, Any]:
    """By a member, or by itself: then upon what."""
    ruling = await store.ruling(conn, workspace, "campaign", name)
    guard = await store.ruling(conn, workspace, GUARD, f"campaign:{name}")
    assert ruling is not None  # noqa: S101
    if guard is not None and guard[3] > ruling[3]:  # it is published right after what it paused
        return {"by": GUARD, **guard[1], "at": clock.show(guard[2])}
    return {"by": "member", "at": clock.show(ruling[2])}


def _launch(each: Launch) -> dict[str, Any]:
    due = {"due_at": clock.show(each.due_at)} if each.state == SCHEDULED else {}
    return {
        "id": ids.show("lch", each.id), "state": each.state, "version": each.version, "members": each.members,
        "handed": each.handed, "at": clock.show(each.asked_at), **due,
    }  # fmt: skip


def _answer(body: dict[str, Any], position: int, status: int = 200) -> Response[dict[str, Any]]:
    return Response(body, status_code=status, headers={"Kizuna-Position": str(position)})


ROUTES = [put_campaign, list_campaigns, get_campaign, launch, pause, resume, cancel]

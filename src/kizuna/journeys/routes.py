"""HTTP of journeys."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, get, post, put
from litestar.params import Parameter, QueryParameter
from msgspec import Struct, field
from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.core import clock, ids
from kizuna.core.errors import Invalid, NotFound
from kizuna.core.problems import escape
from kizuna.engine.slice import Workspace
from kizuna.events import settled
from kizuna.events import store as events
from kizuna.events.log import Log
from kizuna.journeys import store
from kizuna.journeys.bandit import show_bandits
from kizuna.journeys.counts import counts_of
from kizuna.journeys.definition import parse
from kizuna.journeys.enter import check_enterable, entering, entering_members
from kizuna.journeys.problems import Problems
from kizuna.journeys.program import ACTIVE, PAUSED, STOPPED
from kizuna.journeys.publish import Options, begins_by_membership, change_status, wishes
from kizuna.journeys.publish import publish as publish_journey
from kizuna.journeys.reweigh import reweigh
from kizuna.journeys.runs import runs_of
from kizuna.messages.foresee import foreseen
from kizuna.profiles.find import find
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake

Limit = Annotated[int, Parameter(ge=1, le=1000)]
CHUNK = 2000  # members appended at once
MEMBERS_SECONDS = 60.0


class Entering(Struct, forbid_unknown_fields=True):
    profile: str
    data: dict[str, Any] = field(default_factory=dict)
    key: str | int | None = None


@put("/api/v1/journeys/{name:str}")
async def put_journey(name: str, data: dict[str, Any], caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Keep a draft. It may be unfinished: publishing checks it."""
    _check_name(name)
    async with database.connection() as conn:
        await store.keep_draft(conn, caller.workspace.id, name, data, await accounts.now(conn, caller.workspace.id))
        position = await events.next_position(conn)
        shown = await _shown(conn, caller.workspace.id, name)
    return _answer(shown, position)


@get("/api/v1/journeys")
async def list_journeys(caller: Caller, database: Database, limit: Limit = 100, cursor: str = "") -> dict[str, Any]:
    """Every journey with its state and version."""
    async with database.connection() as conn:
        names = await store.names(conn, caller.workspace.id, cursor, limit)
        items = [await _shown(conn, caller.workspace.id, name) for name in names]
    return {"items": items, "next_cursor": names[-1] if len(names) == limit else None}


@get("/api/v1/journeys/{name:str}")
async def get_journey(name: str, caller: Caller, database: Database) -> dict[str, Any]:
    """One journey: its definition, its version, and how many are at each step."""
    async with database.connection() as conn:
        return await _shown(conn, caller.workspace.id, name)


@post("/api/v1/journeys/{name:str}/publish", status_code=200)
async def publish(
    name: str, request: Request[Any, Any, Any], caller: Caller, database: Database, log: Log
) -> Response[dict[str, Any]]:
    """Make the draft the version that new runs follow; `migrate` moves open runs to it. `warnings` say what will
    disappoint."""
    options = _options(await request.json() if await request.body() else {})
    workspace = caller.workspace
    await _know_members(database, workspace, name)
    async with database.connection() as conn:
        journey, version, position = await publish_journey(conn, workspace, name, options)
        warnings = await foreseen(conn, workspace.id, wishes(journey))
    if options.include_members and journey.entry.trigger:
        await settled.wait(database, workspace.id, position, MEMBERS_SECONDS)  # its rules must know all history
        segment = journey.entry.trigger.segment
        async with database.connection() as conn:
            members = await store.members(conn, workspace.id, segment)
            now = await accounts.now(conn, workspace.id)
        items = entering_members(members, name, version, segment, position, now)
        for start in range(0, len(items), CHUNK):
            position = await log.append(workspace.id, items[start : start + CHUNK])
    said = {"warnings": warnings} if warnings else {}
    return _answer({"name": name, "version": version, "status": ACTIVE, **said}, position)


@post("/api/v1/journeys/{name:str}/pause", status_code=200)
async def pause(name: str, caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Nobody enters and no step runs until it is resumed."""
    return await _change(name, caller, database, PAUSED)


@post("/api/v1/journeys/{name:str}/resume", status_code=200)
async def resume(name: str, caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Go on after a pause; steps that came due meanwhile run now."""
    return await _change(name, caller, database, ACTIVE)


@post("/api/v1/journeys/{name:str}/stop", status_code=200)
async def stop(name: str, caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """End the journey and all its open runs."""
    return await _change(name, caller, database, STOPPED)


@post("/api/v1/journeys/{name:str}/enter", status_code=202)
async def enter(
    name: str, data: Entering, request: Request[Any, Any, Any], caller: Caller, database: Database, log: Log
) -> Response[dict[str, Any]]:
    """Let one profile enter a journey whose entry is `api`."""
    workspace = caller.workspace
    async with database.connection() as conn:
        await check_enterable(conn, workspace, name, data.key)
        profile = await find(conn, workspace.id, data.profile)
        now = await accounts.now(conn, workspace.id)
    said = request.headers.get("idempotency-key")
    entry = entering(profile, name, now, data=data.data, key=data.key, request=said)
    position = await log.append(workspace.id, [entry])
    return _answer({"journey": name, "profile": ids.show("prf", profile)}, position, status=202)


@post("/api/v1/journeys/{name:str}/reweigh", status_code=200)
async def reweigh_now(name: str, caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Let the learning splits take what they learnt at once; else they do every ten minutes."""
    async with database.connection() as conn:
        changed, position = await reweigh(conn, caller.workspace, name)
    return _answer({"changed": changed}, position)


@get("/api/v1/journeys/{name:str}/runs")
async def get_runs(
    name: str,
    caller: Caller,
    database: Database,
    lake: Lake,
    in_state: Annotated[str | None, QueryParameter(name="state")] = None,  # `state` is a word of the framework
    profile: str | None = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> dict[str, Any]:
    """The runs of a journey, newest first; by state or of one profile."""
    workspace = caller.workspace.id
    async with database.connection() as conn:
        if await store.published(conn, workspace, name) is None and await store.draft(conn, workspace, name) is None:
            raise NotFound(f"no journey {name!r} in this workspace")
        found = await find(conn, workspace, profile) if profile else None
    return await runs_of(lake, database, workspace, name, state=in_state, profile=found, cursor=cursor, limit=limit)


async def _know_members(database: Database, workspace: Workspace, name: str) -> None:
    """Who matches a segment is a member only once its history is filled in, and must not enter as if new."""
    async with database.connection() as conn:
        by_membership = await begins_by_membership(conn, workspace, name)
        position = await events.last_position(conn)
    if by_membership:
        await settled.wait(database, workspace.id, position, MEMBERS_SECONDS)


async def _change(name: str, caller: Caller, database: Database, status: str) -> Response[dict[str, Any]]:
    async with database.connection() as conn:
        version, position = await change_status(conn, caller.workspace, name, status)
    return _answer({"name": name, "version": version, "status": status}, position)


async def _shown(conn: AsyncConnection[Any], workspace: int, name: str) -> dict[str, Any]:
    ruling = await store.published(conn, workspace, name)
    draft = await store.draft(conn, workspace, name)
    body = ruling.body if ruling else draft
    if body is None:
        raise NotFound(f"no journey {name!r} in this workspace")
    steps = body.get("steps")
    names = (
        [each["id"] for each in steps if isinstance(each, dict) and isinstance(each.get("id"), str)]
        if isinstance(steps, list)
        else []
    )
    counted = await store.counters(conn, workspace, name)
    bandits: dict[str, Any] = {}
    if ruling and isinstance(steps, list) and any(isinstance(each, dict) and "bandit" in each for each in steps):
        learnt = await store.bandits(conn, workspace, name)
        bandits = show_bandits(parse(name, ruling.body), ruling.version, counted, learnt)
    goal = body.get("goal")
    has_value = isinstance(goal, dict) and bool(goal.get("value"))
    return {
        "name": name,
        "title": body.get("title"),
        "version": ruling.version if ruling else None,
        "status": ruling.status if ruling else "draft",
        "published_at": clock.show(ruling.published_at) if ruling else None,
        "definition": body,
        "draft": draft if ruling and draft != ruling.body else None,
        "counts": counts_of(counted, names, has_value=has_value),
        "refused": counted.get("refused", 0),
        **({"bandits": bandits} if bandits else {}),
    }


def _options(raw: Any) -> Options:
    """What `publish` is asked to do beside publishing; what is not known is refused."""
    if not isinstance(raw, dict):
        raise Invalid('write an object, such as {"include_members": true}')
    include_members, migrate = raw.get("include_members", False), raw.get("migrate") or {}
    problems = Problems()
    problems.object(raw, "", ("include_members", "migrate"))
    if not isinstance(include_members, bool):
        problems.note("/include_members", "not_a_boolean", "write true or false")
    for old, new in problems.object(migrate, "/migrate").items():
        problems.text(new, f"/migrate/{escape(old)}", "a step's id")
    if problems.found:
        raise Invalid(problems.found[0].message, errors=problems.found)
    return Options(include_members, migrate)


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > 100 or any(letter in ":/" or not letter.isprintable() for letter in name):
        raise Invalid("a journey's name has 1 to 100 printable characters, none of them : or /", code="invalid_name")


def _answer(body: dict[str, Any], position: int, status: int = 200) -> Response[dict[str, Any]]:
    return Response(body, status_code=status, headers={"Kizuna-Position": str(position)})


ROUTES = [put_journey, list_journeys, get_journey, publish, pause, resume, stop, enter, reweigh_now, get_runs]

"""HTTP of feeds. Secrets go in; one that we make is shown once."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import Parameter
from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.config import Config
from kizuna.core import clock
from kizuna.core.errors import Conflict, FieldError, Invalid, NotFound
from kizuna.events.publish import publish
from kizuna.feeds import store
from kizuna.feeds.feed import Feed, held_of, sealed, written
from kizuna.providers import vault
from kizuna.providers.standard_webhooks import new_secret
from kizuna.runtime.database import Database

MOST_FEEDS = 50  # of a workspace: each is a thread
Limit = Annotated[int, Parameter(ge=1, le=500)]


class Rewind(Struct, forbid_unknown_fields=True):
    """From when on it is told again: an instant of the log, RFC 3339."""

    to: str


class Resume(Struct, forbid_unknown_fields=True):
    """`skip`: go on although rows of the log are gone that were not told."""

    skip: bool = False


@put("/api/v1/feeds/{name:str}")
async def put_feed(
    name: str, data: Feed, caller: Caller, database: Database, config: Config
) -> Response[dict[str, Any]]:
    """Tell `events` to `to` from now on (`from: start`: all that the log keeps). A secret we make is shown once."""
    workspace = caller.workspace
    async with database.connection() as conn:
        known = await store.bodies(conn, workspace.id)
        if name not in known and len(known) >= MOST_FEEDS:
            raise Conflict(f"a workspace has at most {MOST_FEEDS} feeds: remove one", code="too_many_feeds")
        secrets = vault.secrets_of(await accounts.secret(conn), config.secret)
        body, made = sealed(name, data, known.get(name, {}), secrets, workspace.id)
        position = await introduce(conn, caller, name, body)
        shown = await _shown(conn, workspace.id, name)
    return Response({**shown, **made}, headers={"Kizuna-Position": str(position)})


@get("/api/v1/feeds")
async def list_feeds(caller: Caller, database: Database) -> dict[str, Any]:
    """All of the workspace, with how far each is told."""
    async with database.connection() as conn:
        bodies, states = await _all(conn, caller.workspace.id)
    return {"items": [_feed(name, body, states.get(name)) for name, body in bodies.items()], "next_cursor": None}


@get("/api/v1/feeds/{name:str}")
async def get_feed(name: str, caller: Caller, database: Database) -> dict[str, Any]:
    """The feed, how far it is told, and what troubles it."""
    async with database.connection() as conn:
        return await _shown(conn, caller.workspace.id, name)


@delete("/api/v1/feeds/{name:str}", status_code=204)
async def delete_feed(name: str, caller: Caller, database: Database) -> Response[None]:
    """It is told no more."""
    async with database.connection() as conn:
        await _shown(conn, caller.workspace.id, name)
        _, position = await publish(conn, caller.workspace, "feed", name, None)
        await store.drop(conn, caller.workspace.id, name)
    return Response(None, status_code=204, headers={"Kizuna-Position": str(position)})


@post("/api/v1/feeds/{name:str}/pause", status_code=200)
async def pause_feed(name: str, caller: Caller, database: Database) -> dict[str, Any]:
    """It stands where it is."""
    async with database.connection() as conn:
        await _shown(conn, caller.workspace.id, name)
        await store.set_state(conn, caller.workspace.id, name, "paused")
        return await _shown(conn, caller.workspace.id, name)


@post("/api/v1/feeds/{name:str}/resume", status_code=200)
async def resume_feed(name: str, caller: Caller, database: Database, data: Resume | None = None) -> dict[str, Any]:
    """Go on where it stands, paused or parked; tries are counted anew."""
    workspace = caller.workspace.id
    async with database.connection() as conn:
        await _shown(conn, workspace, name)
        lost = await store.gap(conn, workspace, name)
        if lost and not (data and data.skip):
            raise Conflict(
                f"{lost} rows that were not told are no longer in the log: export them from /api/v1/export/events,"
                ' then resume with {"skip": true}',
                code="feed_gap",
            )
        await store.set_state(conn, workspace, name, "on")
        await conn.execute("NOTIFY kizuna_fill")
        return await _shown(conn, workspace, name)


@post("/api/v1/feeds/{name:str}/rewind", status_code=200)
async def rewind_feed(name: str, data: Rewind, caller: Caller, database: Database) -> dict[str, Any]:
    """Tell again what was logged from an instant on, under the same ids; never goes forward."""
    at = clock.read_time(data.to, caller.workspace.zone)
    if at is None:
        wrong = FieldError("/to", "invalid_time", "a time like 2026-12-24T09:00:00Z")
        raise Invalid("this is no time", code="invalid_time", errors=[wrong])
    async with database.connection() as conn:
        await _shown(conn, caller.workspace.id, name)
        await store.rewind(conn, caller.workspace.id, name, at)
        await conn.execute("NOTIFY kizuna_fill")
        return await _shown(conn, caller.workspace.id, name)


@post("/api/v1/feeds/{name:str}/rotate", status_code=200)
async def rotate_feed(name: str, caller: Caller, database: Database, config: Config) -> Response[dict[str, Any]]:
    """A new secret for a web hook, shown once; the one before signs beside it until the next rotation."""
    workspace = caller.workspace
    async with database.connection() as conn:
        known = (await store.bodies(conn, workspace.id)).get(name)
        if known is None:
            raise NotFound(f"no feed {name!r} in this workspace")
        if known["to"]["kind"] != "webhook":
            raise Conflict("only web hooks are signed: there is no secret to rotate", code="no_secret")
        secrets = vault.secrets_of(await accounts.secret(conn), config.secret)
        held = held_of(known, secrets, workspace.id)
        fresh = new_secret()
        to = {**known["to"], "secret": fresh, "old_secret": held["secret"]}
        feed = msgspec.convert({**written(known), "to": to}, Feed)
        body, _ = sealed(name, feed, known, secrets, workspace.id)
        position = await introduce(conn, caller, name, body)
        shown = await _shown(conn, workspace.id, name)
    return Response({**shown, "secret": fresh}, headers={"Kizuna-Position": str(position)})


@get("/api/v1/feeds/{name:str}/refused")
async def list_refused(
    name: str, caller: Caller, database: Database, limit: Limit = 100, cursor: str = ""
) -> dict[str, Any]:
    """Entries that the other side said it will never take, newest first; the latest thousand are kept."""
    at, _, entry = cursor.partition(".")
    before = (int(at), entry) if at.isascii() and at.isdigit() and len(at) < 19 else ((1 << 62), "")
    async with database.connection() as conn:
        await _shown(conn, caller.workspace.id, name)
        rows = await store.refused(conn, caller.workspace.id, name, before, limit)
    items = [
        {"id": entry, "at": clock.show(at), "answer": said, "entry": msgspec.Raw(body)}
        for entry, at, said, body in rows
    ]
    return {"items": items, "next_cursor": f"{rows[-1][1]}.{rows[-1][0]}" if len(rows) == limit else None}


async def introduce(conn: AsyncConnection[Any], caller: Caller, name: str, body: dict[str, Any]) -> int:
    """Publish it, in the caller's transaction; the position."""
    _, position = await publish(conn, caller.workspace, "feed", name, body)
    await store.begin(conn, caller.workspace.id, name, at_start=body["from"] == "start")
    return position


async def _all(conn: AsyncConnection[Any], workspace: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return await store.bodies(conn, workspace), await store.states(conn, workspace)


async def _shown(conn: AsyncConnection[Any], workspace: int, name: str) -> dict[str, Any]:
    bodies, states = await _all(conn, workspace)
    if name not in bodies:
        raise NotFound(f"no feed {name!r} in this workspace")
    return _feed(name, bodies[name], states.get(name))


def _feed(name: str, body: dict[str, Any], told: tuple[store.State, int, int] | None) -> dict[str, Any]:
    shown = {"name": name, **written(body), "secrets": body.get("hidden") or []}
    if told is None:
        return {**shown, "state": "on"}
    state, ahead, refused = told
    return {
        **shown,
        "state": state.state,
        "rows_ahead": ahead,
        "pieces": state.pieces,
        "entries": state.entries,
        "refused": refused,
        "tries": state.tries,
        "trouble": state.trouble,
        "next_at": clock.show(state.next_at) if state.next_at else None,
        "told_at": clock.show(state.told_at) if state.told_at else None,
    }


ROUTES = [
    put_feed, list_feeds, get_feed, delete_feed, pause_feed, resume_feed, rewind_feed, rotate_feed, list_refused,
]  # fmt: skip

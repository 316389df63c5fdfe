"""HTTP of the policy, the topics, and of sending as a whole: what is paused, and why."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, get, post, put
from litestar.params import Parameter

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.channels import IN_PAGE, InPage, all_channels
from kizuna.consent.law import CUSTOM, show_law
from kizuna.core import clock
from kizuna.core.errors import NotFound
from kizuna.events.publish import publish
from kizuna.messages import sql_rest, store
from kizuna.messages.policy import parse
from kizuna.messages.sending import GUARD, PAUSED, SENDING, pause_sending, resume_sending
from kizuna.messages.topic import Topic, check
from kizuna.providers import store as providers
from kizuna.runtime.database import Database
from kizuna.templates.legal_check import check_policy

Limit = Annotated[int, Parameter(ge=1, le=1000)]
POLICY = "policy"  # the kind, and the name of the only one


@put("/api/v1/policy")
async def put_policy(data: dict[str, Any], caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Publish it whole; messages held back are looked at again under it."""
    policy = parse(data)
    async with database.connection() as conn:
        await check_policy(conn, caller.workspace.id, policy.terms)
        version, position = await publish(conn, caller.workspace, POLICY, POLICY, data, sweep="messages")
    return _answer({**data, "version": version}, position)


@get("/api/v1/policy")
async def get_policy(caller: Caller, database: Database) -> dict[str, Any]:
    """The policy that rules."""
    async with database.connection() as conn:
        found = await store.definitions(conn, caller.workspace.id, POLICY)
    if not found:
        return {"caps": [], "quiet_hours": None, "version": None}
    _, version, _, body, published_at = found[0]
    chosen = sorted({body.get("law", CUSTOM), *(each["law"] for each in body.get("laws", []))})
    shown = {"caps": [], "quiet_hours": None, **body, "version": version, "published_at": clock.show(published_at)}
    return {**shown, "rules": [show_law(name) for name in chosen if name != CUSTOM]}


@put("/api/v1/topics/{name:str}")
async def put_topic(name: str, data: Topic, caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Declare or change a topic that customers may subscribe to."""
    check(name, data)
    body = msgspec.to_builtins(data)
    async with database.connection() as conn:
        version, position = await publish(conn, caller.workspace, "topic", name, body)
    return _answer({"name": name, **body, "version": version}, position)


@get("/api/v1/topics")
async def list_topics(caller: Caller, database: Database, limit: Limit = 100, cursor: str = "") -> dict[str, Any]:
    """Every topic that was declared."""
    async with database.connection() as conn:
        rows = await store.definitions(conn, caller.workspace.id, "topic", cursor, limit)
    items = [{"name": name, **body, "version": version} for name, version, _, body, _ in rows]
    return {"items": items, "next_cursor": rows[-1][0] if len(rows) == limit else None}


@get("/api/v1/topics/{name:str}")
async def get_topic(name: str, caller: Caller, database: Database) -> dict[str, Any]:
    """One topic."""
    async with database.connection() as conn:
        rows = await store.definitions(conn, caller.workspace.id, "topic")
    for topic, version, _, body, _ in rows:
        if topic == name:
            return {"name": name, **body, "version": version}
    raise NotFound(f"no topic {name!r} in this workspace")


@get("/api/v1/sending")
async def get_sending(caller: Caller, database: Database) -> dict[str, Any]:
    """Each channel with its state; of one that was stopped the reason and the figures seen. `provider` carries it
    (null: the built-in outbox), `waiting` are messages that are due and not sent yet. `rests` are providers that do not
    answer: by channel, web hook (`webhook:NAME`) or shared lane what they said, and when they are asked again."""
    workspace = caller.workspace.id
    async with database.connection() as conn:
        found = await store.definitions(conn, workspace, SENDING)
        carriers = await providers.carriers(conn, workspace)
        rests = await sql_rest.rests(conn, workspace)
        waiting = await sql_rest.waiting(conn, workspace, await accounts.now(conn, workspace))
    paused = {name: (body, at) for name, _, status, body, at in found if status == PAUSED}
    items: list[dict[str, Any]] = []
    for channel, kind in all_channels().items():
        body, at = paused.get(channel, (None, 0))
        since = {"paused": {**body, "at": clock.show(at)}} if body is not None else {}
        provider = carriers.get(IN_PAGE if isinstance(kind, InPage) else channel)
        shown = {"channel": channel, "state": PAUSED if body is not None else "running", "provider": provider}
        items.append({**shown, "waiting": waiting.get(channel, 0), **since})
    return {"items": items, "rests": [_rest(lane, rest) for lane, rest in rests.items()]}


def _rest(lane: str, rest: sql_rest.Rest) -> dict[str, Any]:
    times = {"at": clock.show(rest.at), "rests_until": clock.show(rest.rests_until)}
    return {"lane": lane, "failures": rest.failures, "reason": rest.reason, **times}


@post("/api/v1/sending/{name:str}/pause", status_code=200)
async def pause_channel(name: str, caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Hold back everything on a channel but transactional messages."""
    _check_channel(name)
    async with database.connection() as conn:
        position = await pause_sending(conn, caller.workspace, name, {"by": caller.member or "api"})
    return _answer({"channel": name, "state": PAUSED}, position)


@post("/api/v1/sending/{name:str}/resume", status_code=200)
async def resume_channel(name: str, caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Send again on a channel that was paused, by hand or by a guard."""
    _check_channel(name)
    async with database.connection() as conn:
        position = await resume_sending(conn, caller.workspace, name)
    return _answer({"channel": name, "state": "running"}, position)


@get("/api/v1/guards")
async def list_guards(caller: Caller, database: Database) -> dict[str, Any]:
    """Campaigns and journeys that were paused by themselves, and upon what."""
    async with database.connection() as conn:
        found = await store.definitions(conn, caller.workspace.id, GUARD)
    return {"items": [{**body, "at": clock.show(at)} for _, _, _, body, at in found], "next_cursor": None}


def _check_channel(name: str) -> None:
    if name not in all_channels():
        raise NotFound(f"no channel {name!r}; there are {', '.join(all_channels())}")


def _answer(body: dict[str, Any], position: int) -> Response[dict[str, Any]]:
    return Response(body, headers={"Kizuna-Position": str(position)})


ROUTES = [
    put_policy, get_policy, put_topic, list_topics, get_topic, get_sending, pause_channel, resume_channel, list_guards,
]  # fmt: skip

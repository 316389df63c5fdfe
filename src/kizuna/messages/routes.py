"""HTTP of messages: the ledger, the built-in outbox, and saying one thing now."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import Parameter, QueryParameter
from msgspec import Struct

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.channels import InPage, ReachesDevices, all_channels
from kizuna.consent import store as consents
from kizuna.consent.show import show_proof
from kizuna.core import clock, exact_json, ids
from kizuna.core.errors import Conflict, FieldError, Invalid, NotFound, Unprocessable
from kizuna.engine.moment import Item
from kizuna.engine.record import decoder_of
from kizuna.events.log import Log
from kizuna.messages import store
from kizuna.messages.fold import API, SAY
from kizuna.messages.foresee import check_templates
from kizuna.messages.grant import message_id
from kizuna.messages.message import RANK, TEST, TO, read_passed, read_word
from kizuna.messages.report import new_id, of_customer
from kizuna.profiles.find import find
from kizuna.profiles.section import Profile
from kizuna.runtime.database import Database
from kizuna.templates.legal_check import check_use

Limit = Annotated[int, Parameter(ge=1, le=1000)]


@get("/api/v1/messages")
async def list_messages(
    caller: Caller,
    database: Database,
    profile: str | None = None,
    campaign: str | None = None,
    journey: str | None = None,
    in_state: Annotated[str | None, QueryParameter(name="state")] = None,  # `state` is a word of the framework
    limit: Limit = 100,
    cursor: str | None = None,
) -> dict[str, Any]:
    """Messages, newest first; by profile, campaign, journey or state."""
    workspace = caller.workspace.id
    asked = {"campaign": campaign, "journey": journey, "state": in_state}
    if in_state is not None and in_state not in RANK:
        raise Invalid(
            f"{in_state!r} is no state", errors=[FieldError("/state", "invalid", f"one of {', '.join(RANK)}")]
        )
    filters: dict[str, list[Any]] = {column: [value] for column, value in asked.items() if value is not None}
    async with database.connection() as conn:
        if profile is not None:
            filters["profile"] = await _ids_of(conn, workspace, await find(conn, workspace, profile))
        rows = await store.listed(conn, workspace, filters, _read_cursor(cursor), limit)
    last = rows[-1] if len(rows) == limit else None
    return {
        "items": [_shown(row) for row in rows],
        "next_cursor": f"{last['planned_at']}.{ids.show('msg', last['id'])}" if last else None,
    }


async def _ids_of(conn: Any, workspace: int, profile: bytes) -> list[bytes]:
    """A profile's id and those of the records that were joined to it."""
    found = await store.person(conn, workspace, profile)
    known = decoder_of(Profile)(found[1]) if found and found[1] else Profile()
    names = [("anon", value) for value in known.anonymous_ids] + ([("user", known.user_id)] if known.user_id else [])
    return [profile, *(ids.profile_id(workspace, kind, value) for kind, value in names)]


def _read_cursor(cursor: str | None) -> tuple[int, bytes] | None:
    if not cursor:
        return None
    at, _, message = cursor.partition(".")
    return _number(at), ids.read("msg", message)


def _number(part: str) -> int:
    """Of a cursor."""
    if not (part.isascii() and part.isdigit() and len(part) < 19):
        raise Invalid("the cursor is not one that a list answered", code="invalid_cursor")
    return int(part)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    times = ("planned_at", "due_at", "expires_at")
    hidden = ("history", "purpose", "consent", "proof", "copy_of")
    is_test = row["purpose"] == TEST
    return {
        **{key: value for key, value in row.items() if key not in hidden},
        "test": is_test,
        "copy_of": row["copy_of"] if is_test else None,
        **{key: clock.show(row[key]) for key in times},
        "id": ids.show("msg", row["id"]),
        "profile": ids.show("prf", row["profile"]),
    }


@get("/api/v1/messages/troubles")
async def list_troubles(caller: Caller, database: Database) -> dict[str, Any]:
    """How many messages somebody should look at: `unknown` (they may have arrived) and `rejected` (nobody took them),
    by state and channel. `GET /api/v1/messages?state=` lists them with their reasons."""
    async with database.connection() as conn:
        rows = await store.troubles(conn, caller.workspace.id)
    items = [
        {"state": state, "channel": channel, "messages": count, "latest_at": clock.show(at)}
        for state, channel, count, at in rows
    ]
    return {"items": items, "next_cursor": None}


@get("/api/v1/messages/{message:str}")
async def get_message(message: str, caller: Caller, database: Database) -> dict[str, Any]:
    """The states it went through, what was said, and for a skip its reason."""
    raw = ids.read("msg", message)
    async with database.connection() as conn:
        row = await store.one(conn, caller.workspace.id, raw)
        content = await store.content(conn, caller.workspace.id, raw)
        proof = await consents.proof(conn, caller.workspace.id, row["proof"]) if row and row["proof"] else None
    if row is None:
        raise NotFound(f"no message {message!r} in this workspace")
    history = [_passed(*read_passed(entry)) for entry in row["history"]]
    said = {"subject": content[0], "body": content[1], "links": content[2]} if content else None
    return {**_shown(row), "history": history, "content": said, "consent": _consent(row["consent"], proof)}


def _passed(word: str, at: int) -> dict[str, Any]:
    state, actor = read_word(word)
    return {"state": state, "at": clock.show(at), **({"actor": actor} if actor else {})}


def _consent(state: str | None, proof: tuple[Any, ...] | None) -> dict[str, Any] | None:
    """What allowed it when it was claimed; None where it never came to that, or was sent before that was kept."""
    if state is None:
        return None
    shown = show_proof(proof) if proof is not None else {}
    said = {name: shown.get(name) for name in ("source", "proof", "at", "basis", "topic")}
    return {"state": state, "proof_id": shown.get("id"), **said}


class Say(Struct, forbid_unknown_fields=True):
    """One thing to say now, to a customer or to an address."""

    channel: str
    template: str
    profile: str | None = None
    to: str | None = None
    data: dict[str, Any] = {}  # msgspec copies it
    topic: str | None = None
    transactional: bool = False
    expires: str = ""  # as the channel has it


@post("/api/v1/messages", status_code=202)
async def say(
    data: Say, request: Request[Any, Any, Any], caller: Caller, database: Database, log: Log
) -> Response[dict[str, Any]]:
    """Say one thing now to one profile or address, such as a receipt or a one-time code."""
    workspace = caller.workspace.id
    if data.expires:
        clock.duration(data.expires)
    if data.channel not in all_channels():
        wrong = FieldError("/channel", "unknown", f"one of {', '.join(all_channels())}")
        raise Unprocessable(f"no channel {data.channel!r}", code="unknown_channel", errors=[wrong])
    _check_recipient(data)
    async with database.connection() as conn:
        await check_templates(conn, workspace, [data.template], "/template")
        await check_use(conn, workspace, [] if data.transactional else [data.template])
        if data.profile is not None:
            profile = await find(conn, workspace, data.profile)
        else:  # its own, whoever has it: tried again under its key it is the same, and a code goes nowhere else
            profile = ids.profile_id(workspace, TO, f"{data.channel}:{str(data.to).lower()}")
        now = await accounts.now(conn, workspace)
    left_out = ("profile",) if data.to is not None else ("profile", "to")
    asked = {key: value for key, value in msgspec.structs.asdict(data).items() if key not in left_out}
    said, key = exact_json.encode(asked), request.headers.get("idempotency-key")
    name = ids.show("evt", ids.derive(SAY, key, profile, said)) if key else new_id()
    item = Item(profile=profile, id=name, type=SAY, timestamp=now, properties=said, received_at=now)
    position = await log.append(workspace, [item], is_waited_for=data.transactional)
    message = message_id(profile, API if data.to is None else TO, item.id, data.channel)
    return Response({"id": ids.show("msg", message)}, status_code=202, headers={"Kizuna-Position": str(position)})


def _check_recipient(data: Say) -> None:
    """An address without a customer has given no consent: it may be sent what it asked for, and nothing else."""
    if (data.profile is None) == (data.to is None):
        wrong = FieldError("/to", "required", "name a `profile`, or an address as `to`; not both")
        raise Invalid("to whom is it said?", code="invalid_recipient", errors=[wrong])
    if data.to is None:
        return
    channel = all_channels()[data.channel]
    if isinstance(channel, ReachesDevices | InPage) or not channel.is_valid(data.to):
        wrong = FieldError("/to", "invalid", f"no address of channel {data.channel}")
        raise Unprocessable(f"{data.to!r} cannot be reached", code="invalid_address", errors=[wrong])
    if not data.transactional:
        wrong = FieldError("/transactional", "required", "true, or write to a `profile`")
        raise Unprocessable("an address alone takes transactional messages only", code="no_consent", errors=[wrong])


@post("/api/v1/messages/{message:str}/resend", status_code=202)
async def resend(message: str, caller: Caller, database: Database, log: Log) -> Response[dict[str, Any]]:
    """A member takes it upon themselves that an `unknown` message may arrive twice: it is tried again under its id."""
    raw, workspace = ids.read("msg", message), caller.workspace.id
    async with database.connection() as conn:
        row = await store.one(conn, workspace, raw)
        now = await accounts.now(conn, workspace)
    if row is None:
        raise NotFound(f"no message {message!r} in this workspace")
    if row["state"] != "unknown":
        raise Conflict(f"it is {row['state']}: only an `unknown` message is sent again", code="not_unknown")
    names = ("channel", "template", "journey", "campaign")
    said = {"message": message, "by": caller.member or "api", **{name: row[name] for name in names if row[name]}}
    item = of_customer(row["profile"], "resent", now, said)
    position = await log.append(workspace, [item], [store.resend(workspace, raw, now)])
    async with database.connection() as conn:
        await conn.execute("NOTIFY kizuna_send")
    return Response({"id": message}, status_code=202, headers={"Kizuna-Position": str(position)})


@get("/api/v1/outbox")
async def list_outbox(
    caller: Caller, database: Database, limit: Limit = 100, cursor: str | None = None
) -> dict[str, Any]:
    """What the built-in sink received, newest first."""
    before = (1 << 62, 0)
    if cursor:
        at, _, row = cursor.partition(".")
        before = (_number(at), _number(row))
    async with database.connection() as conn:
        rows = await store.outbox(conn, caller.workspace.id, before, limit)
    items = [{"id": str(row), **item, "at": clock.show(at)} for row, at, item in rows]
    last = rows[-1] if len(rows) == limit else None
    return {"items": items, "next_cursor": f"{last[1]}.{last[0]}" if last else None}


ROUTES = [list_messages, list_troubles, get_message, say, resend, list_outbox]

"""HTTP of calls: the list, taking one, and saying what came of it."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.params import Parameter, QueryParameter
from msgspec import Struct
from msgspec.structs import asdict
from psycopg import Connection

from kizuna.accounts.caller import Caller
from kizuna.calls import exchange, store
from kizuna.calls import take as taking
from kizuna.calls.conclude import Said, conclude
from kizuna.calls.rule import OPEN, STATES, TAKEN
from kizuna.calls.store import TOP, Entry, Place, Tally
from kizuna.core import clock, ids
from kizuna.core.errors import FieldError, Invalid
from kizuna.engine.slice import Workspace
from kizuna.messages import sql_sending
from kizuna.messages.desk import Desk
from kizuna.messages.tray import Trays

Limit = Annotated[int, Parameter(ge=1, le=1000)]
BY_KEY = "api"  # who took it, where no member did
MOST_HELD = 30 * clock.DAY


@get("/api/v1/calls")
async def list_calls(
    caller: Caller,
    trays: Trays,
    in_state: Annotated[str, QueryParameter(name="state")] = OPEN,  # `state` is a word of the framework
    in_list: Annotated[str | None, QueryParameter(name="list")] = None,
    mine: bool = False,
    limit: Limit = 100,
    cursor: str = "",
) -> dict[str, Any]:
    """Entries whose time has come, the most pressing first; `list` is the journey or campaign. Number and script are
    shown to whoever takes one: a member finds theirs with `state=taken&mine=true`."""
    if in_state not in STATES:
        raise Invalid(
            f"{in_state!r} is no state", errors=[FieldError("/state", "invalid", f"one of {', '.join(STATES)}")]
        )
    after, by = _read_cursor(cursor), (caller.member or BY_KEY) if mine else None

    def look(connection: Connection[Any], desk: Desk) -> list[Entry]:
        taking.end_expired(connection, desk, caller.workspace)
        with connection.cursor() as rows:
            now = sql_sending.now(rows, caller.workspace.id)
            return store.listed(rows, caller.workspace.id, in_state, in_list, now, limit, after, by)

    found = await trays.work(look)
    shown = [_shown(each, caller.workspace, is_ours=_is_ours(each, caller)) for each in found]
    return {"items": shown, "next_cursor": _cursor(found[-1]) if len(found) == limit else None}


def _is_ours(entry: Entry, caller: Caller) -> bool:
    """Of a member alone: a key does not say who holds it."""
    return entry.state == TAKEN and caller.member is not None and entry.taken_by == caller.member


def _cursor(entry: Entry) -> str:
    return f"{entry.priority}.{entry.next_at}.{ids.show('msg', entry.message)}"


def _read_cursor(cursor: str) -> Place:
    if not cursor:
        return TOP
    priority, _, rest = cursor.partition(".")
    next_at, _, message = rest.partition(".")
    if not (priority.isdecimal() and next_at.isdecimal() and len(priority) < 8 and len(next_at) < 19):
        raise Invalid("the cursor is not one that a list answered", code="invalid_cursor")
    return Place(int(priority), int(next_at), ids.read("msg", message))


def _shown(entry: Entry, workspace: Workspace, *, is_ours: bool) -> dict[str, Any]:
    """`is_ours` to whoever took it."""
    shown = {
        "id": ids.show("msg", entry.message), "profile": ids.show("prf", entry.profile), "state": entry.state,
        "list": entry.list, "priority": entry.priority, "name": exchange.name_of(entry),
        "zone": exchange.zone_of(entry, workspace), "tries": entry.tries, "taken_by": entry.taken_by,
        "taken_until": _time(entry.taken_until), "next_at": _time(entry.next_at or None),
        "expires_at": _time(entry.expires_at), "outcome": entry.outcome, "note": entry.note,
        "finished_at": _time(entry.finished_at), **entry.about(),
    }  # fmt: skip
    secret = {"phone": entry.phone, "subject": entry.subject, "script": entry.script}
    return shown | (secret if is_ours else {})


def _time(at: int | None) -> str | None:
    return None if at is None else clock.show(at)


@get("/api/v1/calls/lists")
async def list_lists(caller: Caller, trays: Trays) -> dict[str, Any]:
    """Each list (a journey or campaign; empty for calls asked for one by one) with how many of it are open now, put off
    until later, taken and done."""

    def look(connection: Connection[Any], desk: Desk) -> list[Tally]:
        taking.end_expired(connection, desk, caller.workspace)
        with connection.cursor() as rows:
            return store.tallies(rows, caller.workspace.id, sql_sending.now(rows, caller.workspace.id))

    items = [{**asdict(each), "next_at": _time(each.next_at)} for each in await trays.work(look)]
    return {"items": items, "next_cursor": None}


class Wanted(Struct, forbid_unknown_fields=True):
    """Of one list, or of all."""

    list: str | None = None


@post("/api/v1/calls/next", status_code=200, opt={"right": "act"})
async def take_next(data: Wanted, caller: Caller, trays: Trays) -> dict[str, Any]:
    """Take the most pressing `call`, ours for 15 minutes; nobody else gets it. A member who has one gets that again.
    It is null where nobody is to be called now."""

    def do(connection: Connection[Any], desk: Desk) -> Entry | None:
        if caller.member and (held := taking.held_by(connection, caller.workspace, caller.member, data.list)):
            return held
        return taking.take_next(connection, desk, caller.workspace, caller.member or BY_KEY, data.list)

    entry = await trays.work(do)
    return {"call": None if entry is None else _shown(entry, caller.workspace, is_ours=True)}


@post("/api/v1/calls/{call:str}/take", status_code=200, opt={"right": "act"})
async def take_call(call: str, caller: Caller, trays: Trays) -> dict[str, Any]:
    """Ours for 15 minutes. 409 where another has it (`taken`) or they may not be called (`may_not_call`)."""
    message, who = ids.read("msg", call), caller.member or BY_KEY
    entry = await trays.work(lambda connection, desk: taking.take(connection, desk, caller.workspace, message, who))
    return _shown(entry, caller.workspace, is_ours=True)


class Outcome(Struct, forbid_unknown_fields=True):
    outcome: str
    note: str = ""
    callback_at: str | None = None  # an RFC 3339 time
    properties: dict[str, Any] = {}  # msgspec copies it


@post("/api/v1/calls/{call:str}/outcome", status_code=200, opt={"right": "act"})
async def say_outcome(call: str, data: Outcome, caller: Caller, trays: Trays) -> Response[Any]:
    """`Call Finished` on the profile, unless they are to be called again."""
    message, who = ids.read("msg", call), caller.member or BY_KEY
    callback_at = clock.read_time(data.callback_at) if data.callback_at else None
    if data.callback_at and callback_at is None:
        raise Invalid(f"{data.callback_at!r} is no time", code="invalid_time")
    said = Said(outcome=data.outcome, note=data.note, callback_at=callback_at, properties=data.properties)
    entry, position = await trays.work(
        lambda connection, desk: conclude(connection, desk, caller.workspace, message, who, said)
    )
    return Response(_shown(entry, caller.workspace, is_ours=True), headers=_position(position))


class Export(Struct, forbid_unknown_fields=True):
    list: str | None = None
    limit: int = 100
    held: str = "24h"  # how long the call centre has them


@post("/api/v1/calls/export", status_code=200, opt={"right": "act"})
async def export_calls(data: Export, caller: Caller, trays: Trays) -> Response[bytes]:
    """Take entries for a call centre, as CSV."""
    if not 1 <= data.limit <= exchange.MOST_ROWS:
        raise Invalid(f"limit is 1 to {exchange.MOST_ROWS}", errors=[FieldError("/limit", "invalid", "take fewer")])
    held = clock.after(0, clock.duration(data.held), "UTC")
    if not 0 < held <= MOST_HELD:
        raise Invalid("held is at most 30d", errors=[FieldError("/held", "invalid", "a shorter time")])
    who = caller.member or BY_KEY
    made = await trays.work(
        lambda connection, desk: exchange.hand_out(connection, desk, caller.workspace, who, data.list, data.limit, held)
    )
    headers = {"Content-Disposition": 'attachment; filename="calls.csv"', "Cache-Control": "no-store"}
    return Response(made, media_type="text/csv", headers=headers)


@post("/api/v1/calls/import", status_code=200, opt={"right": "act"})
async def import_outcomes(request: Request[Any, Any, Any], caller: Caller, trays: Trays) -> Response[Any]:
    """The outcomes of calls taken by the same member or by key: CSV with `id`, `outcome`, `note`, `callback_at`."""
    raw, who = await request.body(), caller.member or BY_KEY
    taken, problems, position = await trays.work(
        lambda connection, desk: exchange.take_back(connection, desk, caller.workspace, who, raw)
    )
    return Response({"taken": taken, "problems": problems}, headers=_position(position))


def _position(position: int | None) -> dict[str, str]:
    return {} if position is None else {"Kizuna-Position": str(position)}


ROUTES = [list_calls, list_lists, take_next, take_call, say_outcome, export_calls, import_outcomes]

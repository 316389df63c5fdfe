"""HTTP of test sends and seed lists: a mail as it will be, to those who look at it before customers do."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get, post, put
from litestar.params import Parameter
from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.channels import all_channels, key_of
from kizuna.core import ids
from kizuna.core.errors import FieldError, Invalid, NotFound, Unprocessable
from kizuna.events.log import Log
from kizuna.events.publish import publish
from kizuna.messages import store
from kizuna.messages.grant import message_id
from kizuna.messages.message import TEST
from kizuna.messages.rehearsal import LONGEST_MARK, MARK, is_marked_well, item_of, packed
from kizuna.messages.report import new_id
from kizuna.messages.seed_list import MOST_ADDRESSES, SEEDS, no_seed_list, parse
from kizuna.profiles.find import find
from kizuna.runtime.database import Database
from kizuna.templates import store as templates

Limit = Annotated[int, Parameter(ge=1, le=1000)]
EMAIL = "email"
EXPIRES = "1h"


class Rehearsal(Struct, forbid_unknown_fields=True):
    """`to` or `seed_list`; `profile` is whose traits it is written for; `mark` stands before the subject."""

    to: list[str] | None = None
    seed_list: str | None = None
    profile: str | None = None
    data: dict[str, Any] = {}  # msgspec copies it
    mark: str = MARK


@post("/api/v1/templates/{name:str}/test", status_code=202)
async def send_test(
    name: str, data: Rehearsal, caller: Caller, database: Database, log: Log
) -> Response[dict[str, Any]]:
    """Real mails: they need no consent, obey suppressions, burn no codes and are counted nowhere."""
    workspace = caller.workspace.id
    if not is_marked_well(data.mark):
        wrong = FieldError("/mark", "invalid", f"at most {LONGEST_MARK} characters of one line")
        raise Invalid("no mark for a subject", code="invalid_mark", errors=[wrong])
    async with database.connection() as conn:
        template = await templates.current(conn, workspace, name)
        if template is None:
            raise NotFound(f"no template {name!r} in this workspace")
        if template[2].get("channel") != EMAIL:
            raise Unprocessable("only templates of mails are sent as a test", code="unsupported_channel")
        addresses = await _addresses(conn, workspace, data)
        traits: dict[str, Any] = {}
        if data.profile is not None:
            traits = (await templates.person(conn, workspace, await find(conn, workspace, data.profile)))[0]
        now = await accounts.now(conn, workspace)
    said: dict[str, Any] = {"channel": EMAIL, "template": name, "expires": EXPIRES}
    said["data"] = packed(data.data, data.mark, traits)
    items = [item_of(workspace, address, said, now, new_id()) for address in addresses]
    position = await log.append(workspace, items)
    messages = [
        {"to": address, "id": ids.show("msg", message_id(item.profile, TEST, item.id, EMAIL))}
        for address, item in zip(addresses, items, strict=True)
    ]
    return Response({"messages": messages}, status_code=202, headers={"Kizuna-Position": str(position)})


async def _addresses(conn: AsyncConnection[Any], workspace: int, data: Rehearsal) -> list[str]:
    """Members and seeds only: customers agree before they are written to. Raises `Unprocessable` for others."""
    if (data.to is None) == (data.seed_list is None):
        wrong = FieldError("/to", "required", "name addresses as `to`, or a `seed_list`; not both")
        raise Invalid("to whom does the test go?", code="invalid_recipient", errors=[wrong])
    seeds = {name: body["addresses"] for name, _, _, body, _ in await store.definitions(conn, workspace, SEEDS)}
    if data.seed_list is not None:
        if data.seed_list not in seeds:
            raise no_seed_list(data.seed_list, "/seed_list")
        return seeds[data.seed_list]
    asked = list(dict.fromkeys(data.to or []))
    known = {*await accounts.members_of(conn, workspace), *(each for list_ in seeds.values() for each in list_)}
    keys = {key_of(EMAIL, each) for each in known}
    wrong = [
        FieldError(
            f"/to/{at}",
            "not_ours",
            "tests go to members, and to addresses that `PUT /api/v1/seed-lists/{name}` declares",
        )
        for at, each in enumerate(asked)
        if not all_channels()[EMAIL].is_valid(each) or key_of(EMAIL, each) not in keys
    ]
    if wrong:
        raise Unprocessable("tests go to members and seed lists only", code="not_ours", errors=wrong)
    if not 1 <= len(asked) <= MOST_ADDRESSES:
        wrong = [FieldError("/to", "too_many", f"1 to {MOST_ADDRESSES} addresses")]
        raise Invalid("nobody, or too many", code="invalid_recipient", errors=wrong)
    return asked


@put("/api/v1/seed-lists/{name:str}")
async def put_seed_list(
    name: str, data: dict[str, Any], caller: Caller, database: Database
) -> Response[dict[str, Any]]:
    """Addresses of your own, to which test sends and copies of campaigns may go."""
    parse(name, data)
    async with database.connection() as conn:
        version, position = await publish(conn, caller.workspace, SEEDS, name, data)
    return Response({"name": name, **data, "version": version}, headers={"Kizuna-Position": str(position)})


@get("/api/v1/seed-lists")
async def list_seed_lists(caller: Caller, database: Database, limit: Limit = 100, cursor: str = "") -> dict[str, Any]:
    """By name."""
    async with database.connection() as conn:
        rows = await store.definitions(conn, caller.workspace.id, SEEDS, cursor, limit)
    items = [{"name": name, **body, "version": version} for name, version, _, body, _ in rows]
    return {"items": items, "next_cursor": rows[-1][0] if len(rows) == limit else None}


@get("/api/v1/seed-lists/{name:str}")
async def get_seed_list(name: str, caller: Caller, database: Database) -> dict[str, Any]:
    """Its addresses."""
    async with database.connection() as conn:
        rows = await store.definitions(conn, caller.workspace.id, SEEDS)
    for found, version, _, body, _ in rows:
        if found == name:
            return {"name": name, **body, "version": version}
    raise NotFound(f"no seed list {name!r} in this workspace")


ROUTES = [send_test, put_seed_list, list_seed_lists, get_seed_list]

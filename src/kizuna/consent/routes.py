"""HTTP of consent."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post, put
from litestar.params import Parameter
from msgspec import Struct

from kizuna.accounts.caller import Caller
from kizuna.consent import store
from kizuna.consent.choose import Choice, choose
from kizuna.consent.law import LAWS, show_law
from kizuna.consent.section import Consent
from kizuna.consent.show import show_consent, show_proof
from kizuna.consent.subjects import Subjects
from kizuna.consent.take_many import take_many
from kizuna.core import clock
from kizuna.core.errors import Invalid, NotSettled
from kizuna.engine.record import decoder_of
from kizuna.events import settled
from kizuna.events.log import Log
from kizuna.profiles.find import find
from kizuna.runtime.database import Database

Limit = Annotated[int, Parameter(ge=1, le=1000)]


@put("/api/v1/profiles/{ref:str}/consent")
async def put_consent(
    ref: str, data: Choice, caller: Caller, database: Database, log: Log, subjects: Subjects
) -> Response[dict[str, Any]]:
    """Effective at once: an opt-out stops every claim from its commit on. With `confirm` they are asked by mail."""
    subjects.check(data.channel)
    workspace = caller.workspace.id
    async with database.connection() as conn:
        profile = await find(conn, workspace, ref)
    position = await choose(database, log, workspace, profile, data)
    await _settle(database, workspace, position)
    shown = {"channel": data.channel, "topic": data.topic, "state": data.state, "source": data.source}
    return Response(shown, headers={"Kizuna-Position": str(position)})


@get("/api/v1/profiles/{ref:str}/consent")
async def get_consent(ref: str, caller: Caller, database: Database, limit: Limit = 100) -> dict[str, Any]:
    """What rules, and every act with its proof, the latest first."""
    workspace = caller.workspace.id
    async with database.connection() as conn:
        profile = await find(conn, workspace, ref)
        raw = await store.section(conn, workspace, profile)
        rows = await store.proofs_of(conn, workspace, await store.with_merged(conn, workspace, [profile]), limit)
    section = decoder_of(Consent)(raw) if raw else Consent()
    return {"channels": show_consent(section), "history": [show_proof(row) for row in rows]}


class Many(Struct, frozen=True, forbid_unknown_fields=True):
    items: list[dict[str, Any]]


@post("/api/v1/consent/import", status_code=200)
async def import_consent(
    data: Many, caller: Caller, database: Database, log: Log, subjects: Subjects
) -> Response[dict[str, Any]]:
    """Acts of the past with their own times and proofs, each taken or refused for itself."""
    taken = await take_many(database, log, caller.workspace.id, data.items, subjects)
    shown = {"accepted": taken.accepted, "refused": msgspec.to_builtins(taken.refused)}
    if taken.position is None:
        return Response(shown)
    await _settle(database, caller.workspace.id, taken.position)
    return Response(shown, headers={"Kizuna-Position": str(taken.position)})


@get("/api/v1/consent/laws")
async def list_laws(caller: Caller) -> dict[str, Any]:
    """The sets of rules a policy may choose from, each as what it does."""
    return {"items": [show_law(name) for name in LAWS], "next_cursor": None}


@get("/api/v1/suppressions")
async def list_suppressions(
    caller: Caller, database: Database, search: str = "", channel: str = "", limit: Limit = 100, cursor: str = ""
) -> dict[str, Any]:
    """Addresses that nothing is sent to any more, whoever has them, newest first: the post or the mail server said that
    nobody is there (`hard_bounce`), or took nothing five times in a row (`soft_bounces`)."""
    at, _, rest = cursor.partition(".")
    of, _, address = rest.partition(".")
    if cursor and not (at.isdecimal() and len(at) < 19):
        raise Invalid("the cursor is not one that a list answered", code="invalid_cursor")
    before = (int(at), of, address) if cursor else (1 << 62, "", "")
    async with database.connection() as conn:
        rows = await store.suppressions(conn, caller.workspace.id, channel, search.strip(), before, limit)
    items = [
        {"channel": channel, "address": address, "reason": reason, "at": clock.show(at)}
        for channel, address, reason, at in rows
    ]
    last = rows[-1] if len(rows) == limit else None
    return {"items": items, "next_cursor": f"{last[3]}.{last[0]}.{last[1]}" if last else None}


async def _settle(database: Database, workspace: int, position: int) -> None:
    with contextlib.suppress(NotSettled):  # accepted it is
        await settled.wait(database, workspace, position)


ROUTES = [put_consent, get_consent, import_consent, list_laws, list_suppressions]

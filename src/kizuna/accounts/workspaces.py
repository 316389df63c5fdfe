"""Tenants: create one, find one, say what it is."""

from __future__ import annotations

import re
import time
import unicodedata
from typing import Any

from kizuna.accounts import keys, store
from kizuna.core import clock as clocks
from kizuna.core.errors import Conflict, FieldError, Invalid, NotFound
from kizuna.engine.slice import Workspace
from kizuna.runtime.database import Database

_CURRENCY = re.compile(r"[A-Z]{3}\Z")
VARIABLE = "KIZUNA_WORKSPACE"  # which of several a command means
_OUTER_ID = re.compile(r"wsp_(\d{1,9})\Z")


def outer_id(workspace: int) -> str:
    return f"wsp_{workspace}"


async def create(
    database: Database,
    name: str,
    *,
    clock: str = "live",
    start: str | None = None,
    zone: str = "UTC",
    currency: str = "USD",
    consent: str = "opt_out",
) -> dict[str, str]:
    """A new workspace with its log heads and two keys, which are shown this once."""
    now = _check(name, clock, start, zone, currency, consent)
    async with database.connection() as conn:
        found = await store.insert_workspace(conn, name, clock, now, zone, currency, consent)
        if found is None:
            raise Conflict(f"there is a workspace named {name!r} already; choose another name", code="name_taken")
        write_key = await keys.insert(conn, found, "ingest")
        api_key = await keys.insert(conn, found, "owner")
    return {"id": outer_id(found), "name": name, "write_key": write_key["key"], "api_key": api_key["key"]}


def _check(name: str, clock: str, start: str | None, zone: str, currency: str, consent: str) -> int | None:
    """The instant a test clock starts at, None for a live one; raises `Invalid` naming every wrong field."""
    errors: list[FieldError] = []

    def wrong(field: str, code: str, message: str) -> None:
        errors.append(FieldError(f"/{field}", code, message))

    controls = any(unicodedata.category(letter).startswith("C") for letter in name)
    if not 1 <= len(name.strip()) <= 100 or len(name) > 100 or name != name.strip() or controls or "/" in name:
        wrong("name", "invalid_name", "1 to 100 printable characters, no slash, no blank at either end")
    elif name.startswith("wsp_"):
        wrong("name", "invalid_name", "names do not begin with wsp_, ids do")
    if clock not in ("live", "test"):
        wrong("clock", "invalid_clock", "live or test")
    try:
        clocks.zone_info(zone)
    except Invalid as error:
        wrong("zone", error.code, str(error))
        zone = "UTC"
    if not _CURRENCY.match(currency):
        wrong("currency", "invalid_currency", "three capital letters of ISO 4217, such as JPY")
    if consent not in ("opt_out", "opt_in"):
        wrong("consent", "invalid_consent", "opt_out or opt_in")
    begins = clocks.read_time(start, zone) if start else int(time.time()) * clocks.SECOND
    if begins is None:
        wrong("start", "invalid_time", "an RFC 3339 time such as 2026-12-01T00:00:00Z")
    elif start and clock == "live":
        wrong("start", "invalid_start", "only a test clock has a start; add clock test")
    if errors:
        raise Invalid("the workspace cannot be made as described", errors=errors)
    return begins if clock == "test" else None


async def find(database: Database, name_or_id: str) -> Workspace:
    """By name, else by outer id; raises `NotFound`."""
    async with database.connection() as conn:
        found = await store.workspace_named(conn, name_or_id)
        if found is None and (match := _OUTER_ID.match(name_or_id)):
            found = await store.workspace(conn, int(match[1]))
    if found is None:
        raise NotFound(f"no workspace {name_or_id!r} here")
    return found


async def choose(database: Database, named: str | None) -> Workspace:
    """The one named, else the only one; raises `Invalid` when there are several."""
    if named:
        return await find(database, named)
    async with database.connection() as conn:
        found = await store.workspaces(conn)
    if len(found) > 1:
        names = ", ".join(each.name for each in found)
        raise Invalid(f"say which workspace is meant, with --workspace or {VARIABLE}: {names}", code="which_workspace")
    if not found:
        raise NotFound("there is no workspace yet: `kizuna workspace create NAME` makes one")
    return found[0]


async def visible(database: Database, only: int | None = None) -> list[dict[str, Any]]:
    """All workspaces, or the one a member belongs to, as the edge shows them."""
    async with database.connection() as conn:
        return [show(found, await store.now(conn, found.id)) for found in await store.workspaces(conn, only)]


async def described(database: Database, workspace: Workspace) -> dict[str, Any]:
    async with database.connection() as conn:
        sending = "locked" if await store.is_sending_locked(conn) else "open"
        return {**show(workspace, await store.now(conn, workspace.id)), "sending": sending}


def show(workspace: Workspace, now: int) -> dict[str, Any]:
    return {
        "id": outer_id(workspace.id),
        "name": workspace.name,
        "clock": workspace.clock,
        "now": clocks.show(now),
        "zone": workspace.zone,
        "currency": workspace.currency,
        "consent": workspace.consent,
    }

"""HTTP of alarms."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from litestar import get, post
from litestar.params import Parameter, QueryParameter

from kizuna.accounts.caller import Caller
from kizuna.alarms import store
from kizuna.alarms.alarm import INSTALLATION
from kizuna.alarms.watch import watched
from kizuna.core.errors import Conflict, NotFound
from kizuna.runtime.database import Database

Limit = Annotated[int, Parameter(ge=1, le=500)]
_ID = re.compile(r"(?:alm_)?(\d{1,18})\Z", re.ASCII)


@get("/api/v1/alarms")
async def list_alarms(
    caller: Caller,
    database: Database,
    limit: Limit = 100,
    cursor: str | None = None,
    in_state: Annotated[Literal["raised", "all"], QueryParameter(name="state")] = "all",
) -> dict[str, Any]:
    """Of this workspace and of the installation, newest first."""
    before = int(match[1]) if cursor and (match := _ID.match(cursor)) else 1 << 62
    async with database.connection() as conn:
        found = await store.listed(conn, caller.workspace.id, before, limit, only_raised=in_state == "raised")
    items = [alarm.shown() for alarm in found]
    return {"items": items, "next_cursor": items[-1]["id"] if len(items) == limit else None}


@post("/api/v1/alarms/{alarm:str}/resolve", status_code=200)
async def resolve_alarm(alarm: str, caller: Caller, database: Database) -> dict[str, Any]:
    """Seen to; one of doctor's rules is raised again only after it held once."""
    match = _ID.match(alarm)
    async with database.connection() as conn:
        found = await store.one(conn, caller.workspace.id, int(match[1])) if match else None
        if found is None:
            raise NotFound(f"no alarm {alarm!r} in this workspace")
        if found.workspace == INSTALLATION:
            raise Conflict("an alarm of the installation is resolved when its cause is gone", code="of_installation")
        by = caller.member or "key"
        await store.resolve(conn, found.workspace, found.id, by, clears=found.rule not in watched())
        found = await store.one(conn, found.workspace, found.id)
    assert found is not None  # noqa: S101
    return found.shown()


ROUTES = [list_alarms, resolve_alarm]

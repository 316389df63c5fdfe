"""Pause, resume and cancel a campaign: each is a publish, so every partition knows from when on."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.campaigns import store
from kizuna.campaigns.fold import CANCEL
from kizuna.campaigns.store import CANCELLED, Current
from kizuna.core import ids
from kizuna.core.errors import Conflict, NotFound
from kizuna.engine.slice import Workspace
from kizuna.events.publish import publish
from kizuna.messages import store as messages

READY, PAUSED = "ready", "paused"


async def pause(conn: AsyncConnection[Any], workspace: Workspace, name: str) -> int:
    """From the commit on nothing more of it is handed out or claimed; its position."""
    found = await _current(conn, workspace, name)
    if found.status != READY:
        raise Conflict(f"the campaign is {found.status}; only one that is not can be paused", code="not_running")
    return await _change(conn, workspace, name, found, PAUSED)


async def resume(conn: AsyncConnection[Any], workspace: Workspace, name: str) -> int:
    """What is unclaimed goes on, what expired meanwhile is `expired`; its position."""
    found = await _current(conn, workspace, name)
    if found.status != PAUSED:
        raise Conflict("the campaign is not paused", code="not_paused")
    await messages.put_off(conn, workspace.id, await accounts.now(conn, workspace.id), campaign=name)
    position = await _change(conn, workspace, name, found, READY)
    await conn.execute("NOTIFY kizuna_send")
    return position


async def cancel(conn: AsyncConnection[Any], workspace: Workspace, name: str) -> int:
    """What nobody claimed yet becomes `skipped(aborted)`, those who were not reached yet are not; its position."""
    found = await _current(conn, workspace, name)
    if found.status == CANCELLED:
        raise Conflict("the campaign is cancelled already", code="cancelled")
    launches = await store.abort_all(conn, workspace.id, name, await accounts.now(conn, workspace.id))
    await publish(conn, workspace, CANCEL, name, {"launches": [ids.show("lch", each) for each in launches]})
    position = await _change(conn, workspace, name, found, CANCELLED, sweep="campaigns")
    await store.cancel(conn, workspace.id, launches, position)
    return position


async def _current(conn: AsyncConnection[Any], workspace: Workspace, name: str) -> Current:
    found = await store.current(conn, workspace.id, name)
    if found is None:
        raise NotFound(f"no campaign {name!r} in this workspace")
    return found


async def _change(
    conn: AsyncConnection[Any], workspace: Workspace, name: str, found: Current, status: str, *, sweep: str = ""
) -> int:
    _, position = await publish(conn, workspace, "campaign", name, found.body, status=status, sweep=sweep)
    await conn.execute("NOTIFY kizuna_launch")
    return position

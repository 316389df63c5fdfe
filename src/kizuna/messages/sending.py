"""Sending as a whole: all but transactional messages of a channel are paused and resumed."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.engine.slice import Workspace
from kizuna.events.publish import publish
from kizuna.messages import store

SENDING = "sending"  # the kind of definition, by channel: every claim looks whether it is paused
GUARD = "guard"  # the kind that keeps why a campaign or journey was paused by itself
PAUSED, ACTIVE = "paused", "active"


async def pause_sending(conn: AsyncConnection[Any], workspace: Workspace, channel: str, why: dict[str, Any]) -> int:
    """From the commit on nothing more of the channel is claimed; its position."""
    _, position = await publish(conn, workspace, SENDING, channel, why, status=PAUSED)
    return position


async def resume_sending(conn: AsyncConnection[Any], workspace: Workspace, channel: str) -> int:
    await store.put_off(conn, workspace.id, await accounts.now(conn, workspace.id), channel=channel)
    _, position = await publish(conn, workspace, SENDING, channel, {}, status=ACTIVE)
    await conn.execute("NOTIFY kizuna_send")
    return position

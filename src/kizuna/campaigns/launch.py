"""Launch a campaign: say it to every member of its segment, in one commit."""

from __future__ import annotations

import secrets
from typing import Any

from kizuna.accounts import store as accounts
from kizuna.campaigns import store
from kizuna.campaigns.definition import parse
from kizuna.core import exact_json, ids
from kizuna.core.errors import NotFound
from kizuna.engine.append import append_statements
from kizuna.engine.moment import Item
from kizuna.engine.slice import Workspace
from kizuna.events import settled
from kizuna.events import store as events
from kizuna.runtime.database import Database


async def launch(database: Database, workspace: Workspace, name: str, key: str | None) -> tuple[int, int]:
    """Members reached and the position; who is a member is judged when all accepted so far is folded.

    The same `key` is the same launch: it is made once, whatever crashed in between, and answers the same again.
    """
    launched = ids.derive("launch", name, key) if key else secrets.token_bytes(ids.ID_BYTES)
    async with database.connection() as conn:
        position = await events.last_position(conn)
    await settled.wait(database, workspace.id, position, 30.0)
    async with database.connection() as conn:
        found = await store.current(conn, workspace.id, name)
        if found is None:
            raise NotFound(f"no campaign {name!r} in this workspace")
        version, _, body, _ = found
        earlier = await store.begin_launch(conn, workspace.id, launched, name)
        if earlier is not None:
            return earlier
        now = await accounts.now(conn, workspace.id)
        chosen = await store.members(conn, workspace.id, parse(body).segment)
        shown = ids.show("lch", launched)
        said = exact_json.encode({"campaign": name, "launch": shown, "version": version})
        items = [
            Item(
                profile, ids.show("evt", ids.derive("launch", shown, profile)), "launch", "campaign_launched",
                timestamp=now, properties=said, received_at=now,
            )
            for profile in chosen
        ]  # fmt: skip
        if items:
            row = None
            for statement in append_statements(workspace.id, items, workspace.partitions, None):
                row = await conn.execute(*statement)
            assert row is not None  # noqa: S101
            appended: Any = await row.fetchone()
            position = appended[2]
            await conn.execute("NOTIFY kizuna_log")
        await store.end_launch(conn, workspace.id, launched, len(items), position)
    return len(items), position

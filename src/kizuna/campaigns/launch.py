"""Launch a campaign: copy who is to be reached, or put it on the calendar. Handing out is another's work."""

from __future__ import annotations

import secrets

from kizuna.accounts import store as accounts
from kizuna.campaigns import store
from kizuna.campaigns.definition import Campaign, parse
from kizuna.campaigns.store import CANCELLED, GATHERING, SCHEDULED, Launch
from kizuna.core import ids
from kizuna.core.errors import Conflict, NotFound
from kizuna.engine.slice import Workspace
from kizuna.events import publish, settled
from kizuna.events import store as events
from kizuna.messages.foresee import check_templates
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake
from kizuna.runtime.lake.views import some_profiles
from kizuna.segments.sql import compile_sql
from kizuna.templates.legal_check import check_use

PATIENCE = 30.0  # seconds until all accepted so far is folded


async def launch(database: Database, lake: Lake, workspace: Workspace, name: str, key: str | None) -> Launch:
    """The launch; who is a member is judged when its time has come and all accepted until then is folded.

    The same `key` is the same launch: it is made once, whatever crashed in between, and answers the same again.
    """
    launched = ids.derive("launch", name, key) if key else secrets.token_bytes(ids.ID_BYTES)
    async with database.connection() as conn:
        position = await events.last_position(conn)
        found = await store.current(conn, workspace.id, name)
        now = await accounts.now(conn, workspace.id)
    if found is None:
        raise NotFound(f"no campaign {name!r} in this workspace")
    campaign, version = parse(found.body), found.version
    async with database.connection() as conn:
        await check_templates(conn, workspace.id, campaign.templates(), "/send/template")
        await check_use(conn, workspace.id, campaign.marketing_templates())
    due_at = campaign.when().begins_at(now)
    if due_at <= now:
        await settled.wait(database, workspace.id, position, PATIENCE)
    profiles = await _profiles(database, lake, workspace, campaign) if due_at <= now else []
    async with database.connection() as conn:
        found = await store.current(conn, workspace.id, name)
        assert found is not None  # noqa: S101  # campaigns stay
        new = Launch(
            workspace=workspace.id, id=launched, campaign=name, version=version,
            state=SCHEDULED if due_at > now else GATHERING, asked_at=now, due_at=due_at, as_of=position,
            position=await events.next_position(conn), members=0, handed=0, handed_to=b"",
        )  # fmt: skip
        earlier = await store.begin_launch(conn, new)
        if earlier is not None:
            return earlier
        if found.status == "paused":
            raise Conflict("the campaign is paused; resume it first", code="paused")
        if found.status == CANCELLED:  # what was cancelled stays so; this launch is a new beginning
            await publish.publish(conn, workspace, "campaign", name, found.body, status="ready")
        if new.state == GATHERING:
            gathered = await conn.execute(*store.gather(workspace.id, launched, campaign.segment, profiles))
            said = {"workspace": workspace.id, "launch": launched, "members": gathered.rowcount}
            await conn.execute(store.GATHERED, said)
        await conn.execute("NOTIFY kizuna_launch")
        made = await store.launch(conn, workspace.id, launched)
    assert made is not None  # noqa: S101
    return made


async def _profiles(database: Database, lake: Lake, workspace: Workspace, campaign: Campaign) -> list[bytes]:
    """For whom the campaign's rule holds now, by its second reading; nobody when it names a segment."""
    rule = campaign.rule()
    if rule is None:
        return []
    async with database.connection() as conn:
        now = await accounts.now(conn, workspace.id)
    zones = [zone for (zone,) in await lake.query(database, workspace.id, store.ZONES)]
    rows = await lake.query(
        database, workspace.id, compile_sql(rule, now, workspace.zone, zones, some_profiles), seconds=600
    )
    return [ids.read("prf", profile) for (profile,) in rows]

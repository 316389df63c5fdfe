"""Who a rule would hold for now, by its second reading, without storing anything."""

from __future__ import annotations

from typing import Any

import msgspec

from kizuna.accounts import store as accounts
from kizuna.engine.slice import Workspace
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake
from kizuna.runtime.lake.views import some_profiles
from kizuna.segments import store
from kizuna.segments.rule import Rule
from kizuna.segments.sql import asks_zones, compile_sql

SAMPLE = 20


async def preview(lake: Lake, database: Database, workspace: Workspace, rule: Rule) -> dict[str, Any]:
    """`{count, sample: [{id, traits}]}` as of now."""
    async with database.connection() as conn:
        now = await accounts.now(conn, workspace.id)
    zones = await lake.query(database, workspace.id, store.ZONES) if asks_zones(rule, now) else []
    asked = compile_sql(rule, now, workspace.zone, [zone for (zone,) in zones], some_profiles)
    rows = await lake.query(database, workspace.id, store.preview(asked, SAMPLE))
    (count, *_), *sample = rows
    return {
        "count": count,
        "sample": [{"id": profile, "traits": msgspec.Raw((traits or "{}").encode())} for _, profile, traits in sample],
    }

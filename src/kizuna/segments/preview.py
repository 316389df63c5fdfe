"""Who a rule would hold for now, by its second reading, without storing anything."""

from __future__ import annotations

from typing import Any

import msgspec

from kizuna.accounts import store as accounts
from kizuna.engine.slice import Workspace
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake
from kizuna.segments import store
from kizuna.segments.rule import Rule
from kizuna.segments.sql import compile_sql
from kizuna.segments.sql_text import literal

SAMPLE = 20


async def preview(lake: Lake, database: Database, workspace: Workspace, rule: Rule) -> dict[str, Any]:
    """`{count, sample: [{id, traits}]}` as of now."""
    async with database.connection() as conn:
        now = await accounts.now(conn, workspace.id)
    zones = [zone for (zone,) in await lake.query(database, workspace.id, store.ZONES)]
    asked = compile_sql(rule, now, workspace.zone, zones)
    rows = await lake.query(database, workspace.id, store.PREVIEW.format(rule=asked, sample=SAMPLE))
    (count, _), *sample = rows
    found = ", ".join(literal(profile) for _, profile in sample)
    shown = await lake.query(database, workspace.id, store.TRAITS.format(sample=found)) if found else []
    return {
        "count": count,
        "sample": [{"id": profile, "traits": msgspec.Raw((traits or "{}").encode())} for profile, traits in shown],
    }

"""A profile's history, newest first, from the lake and the log's tail."""

from __future__ import annotations

from typing import Any

import msgspec

from kizuna.core import clock, ids
from kizuna.core.errors import Invalid
from kizuna.profiles.store import TIMELINE
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake

_LATEST = 1 << 62


async def timeline(
    lake: Lake, database: Database, workspace: int, profile: bytes, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Entries `{id, type, event, properties, timestamp, received_at, message_id, caused_by}` and the next cursor."""
    before, arrival = _read_cursor(cursor)
    rows = await lake.query(
        database,
        workspace,
        TIMELINE,
        {"profile": ids.show("prf", profile), "before": before, "arrival": arrival, "limit": limit},
    )
    following = f"{rows[-1][4]}.{rows[-1][7]}" if len(rows) == limit else None
    return {"items": [_entry(*row) for row in rows], "next_cursor": following}


def _entry(
    item: str, kind: str, event: str, properties: str, timestamp: int, received_at: int, caused_by: str, _: int
) -> dict[str, Any]:
    is_ours = kind in ("fact", "report", "consent", "launch", "enter")
    return {
        "id": item,
        "type": "fact" if is_ours else kind,
        "event": event or kind,
        "properties": msgspec.Raw(properties.encode()) if properties else {},
        "timestamp": clock.show(timestamp),
        "received_at": clock.show(received_at) if received_at else None,
        "message_id": None if is_ours else item,
        "caused_by": caused_by or None,
    }


def _read_cursor(cursor: str | None) -> tuple[int, int]:
    if not cursor:
        return _LATEST, _LATEST
    before, _, arrival = cursor.partition(".")
    try:
        return int(before), int(arrival)
    except ValueError:
        raise Invalid("this cursor is not one of ours; begin without it", code="invalid_cursor") from None

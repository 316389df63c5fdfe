"""A profile's history, newest first, from the lake and the log's tail."""

from __future__ import annotations

from typing import Any

import msgspec

from kizuna.core import clock, ids
from kizuna.core.errors import Invalid
from kizuna.profiles.store import TIMELINE
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake

_PLACE = ("timestamp", "logged_at", "offset", "index")  # the order of the log within one instant
_LATEST = dict.fromkeys(_PLACE, (1 << 31) - 1) | {"timestamp": 1 << 62}


async def timeline(
    lake: Lake, database: Database, workspace: int, profile: bytes, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Entries `{id, type, event, properties, timestamp, received_at, message_id, caused_by}` and the next cursor."""
    asked = {"profile": ids.show("prf", profile), "limit": limit, **_read_cursor(cursor)}
    rows = await lake.query(database, workspace, TIMELINE, asked)
    following = ".".join(str(part) for part in (rows[-1][4], *rows[-1][7:])) if len(rows) == limit else None
    return {"items": [_entry(*row[:7]) for row in rows], "next_cursor": following}


def _entry(
    item: str, kind: str, event: str, properties: str, timestamp: int, received_at: int, caused_by: str
) -> dict[str, Any]:
    is_ours = kind in ("fact", "report", "consent", "launch", "enter", "say")
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


def _read_cursor(cursor: str | None) -> dict[str, int]:
    if not cursor:
        return _LATEST
    try:
        return dict(zip(_PLACE, (int(part) for part in cursor.split(".")), strict=True))
    except ValueError:
        raise Invalid("this cursor is not one of ours; begin without it", code="invalid_cursor") from None

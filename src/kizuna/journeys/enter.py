"""Entering a journey by API, and by having been a member when it was published."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from psycopg import AsyncConnection

from kizuna.core import exact_json, ids
from kizuna.core.errors import Conflict, FieldError, NotFound, Unprocessable
from kizuna.engine.moment import Item
from kizuna.engine.slice import Workspace
from kizuna.journeys import store
from kizuna.journeys.definition import parse


async def check_enterable(conn: AsyncConnection[Any], workspace: Workspace, name: str, key: Any) -> None:
    """Raises when nobody may enter this journey by API now."""
    ruling = await store.published(conn, workspace.id, name)
    if ruling is None:
        raise NotFound(f"no journey {name!r} is published in this workspace")
    if ruling.status != "active":
        raise Conflict(f"the journey is {ruling.status}: nobody enters", code=ruling.status)
    journey = parse(name, ruling.body)
    if not journey.entry.is_by_api:
        raise Conflict("this journey is not entered by API: its `entry.on` is not {api: true}", code="not_api_entry")
    if bool(journey.entry.key) != (key not in (None, "")):
        message = "this journey has one run per key: name it" if journey.entry.key else "this journey has no key"
        problem = FieldError("/key", "invalid_key", message)
        raise Unprocessable(message, code="invalid_key", errors=[problem])


def entering(
    profile: bytes, journey: str, now: int, *, data: dict[str, Any], key: Any, request: str | None = None
) -> Item:
    """What the log says when someone is entered by API; the same `request` key is the same entry, folded once."""
    said = {"journey": journey, "data": data, "key": key}
    raw = (
        ids.derive("enter", request, profile, exact_json.encode(said)) if request else secrets.token_bytes(ids.ID_BYTES)
    )
    return _item(profile, ids.show("evt", raw), said, now)


def entering_members(
    profiles: Iterable[bytes], journey: str, version: int, segment: str, position: int, now: int
) -> list[Item]:
    """What the log says when a journey takes those who were members already."""
    said = {"journey": journey, "member_of": segment}
    return [
        _item(profile, ids.show("evt", ids.derive("member", journey, version, position, profile)), said, now)
        for profile in profiles
    ]


def _item(profile: bytes, name: str, said: dict[str, Any], now: int) -> Item:
    properties = exact_json.encode({key: value for key, value in said.items() if value not in (None, {})})
    return Item(profile, name, "enter", timestamp=now, properties=properties, received_at=now)

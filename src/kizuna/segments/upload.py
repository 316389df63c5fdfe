"""An uploaded list as a segment: who is on it is said to each of them by an item of the log."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.core import exact_json, ids
from kizuna.core.errors import FieldError, Invalid
from kizuna.engine.append import append_statements
from kizuna.engine.moment import Item
from kizuna.engine.slice import Workspace
from kizuna.events import store as events
from kizuna.events.publish import publish
from kizuna.profiles.resolve import resolve
from kizuna.segments import store
from kizuna.segments.fold import LISTING

MOST = 100_000  # refs of one upload
ROW = 2_000  # items of one row of the log


class Uploaded(Struct, frozen=True):
    """How many entries came and went, and the refs that mean nobody or several."""

    position: int
    listed: int
    added: int
    removed: int
    unknown: list[str]
    ambiguous: list[str]


def list_of(body: dict[str, Any] | None) -> str | None:
    """The id of the list when the segment is one."""
    where = (body or {}).get("where")
    return where.get("listed") if isinstance(where, dict) else None


def listing(title: str, before: str | None) -> dict[str, Any]:
    """What is published for a list; `before` is the id that it has."""
    return {"title": title, "where": {"listed": before or f"lst_{secrets.token_hex(8)}"}}


async def upload(
    conn: AsyncConnection[Any], workspace: Workspace, name: str, title: str, refs: Sequence[str]
) -> Uploaded:
    """Make the segment `name` the list of `refs`, in the caller's transaction; only the difference is said."""
    if len(refs) > MOST:
        message = f"a list takes at most {MOST} refs: import a file with a trait instead, and ask for the trait"
        raise Invalid(message, code="list_too_long", errors=[FieldError("/list", "list_too_long", message)])
    body = await store.current(conn, workspace.id, name)
    new = listing(title, list_of(body))
    list_id = new["where"]["listed"]
    if body == new:
        position = await events.next_position(conn)
    else:
        _, position = await publish(conn, workspace, "segment", name, new)
    found = await resolve(conn, workspace.id, refs)
    entries = set(found.profiles.values())
    added, removed = await store.replace_list(conn, workspace.id, list_id, entries)
    now = await accounts.now(conn, workspace.id)
    said = [*_items(list_id, name, added, True, position, now), *_items(list_id, name, removed, False, position, now)]
    for start in range(0, len(said), ROW):
        for statement in append_statements(workspace.id, said[start : start + ROW], workspace.partitions, position):
            await conn.execute(*statement)
    await conn.execute("NOTIFY kizuna_log")
    return Uploaded(position, len(entries), len(added), len(removed), found.unknown, found.ambiguous)


def _items(
    list_id: str, segment: str, profiles: Iterable[bytes], listed: bool, position: int, now: int
) -> Iterable[Item]:
    """The entry is named too: records joined later carry it along, and a later upload takes it off by that name."""
    for profile in profiles:
        entry = ids.show("prf", profile)
        said = {"segment": segment, "entry": entry, "listed": listed, "upload": position}
        yield Item(
            profile, ids.show("evt", ids.derive("list", list_id, profile, position)), LISTING, list_id, timestamp=now,
            properties=exact_json.encode(said), received_at=now,
        )  # fmt: skip

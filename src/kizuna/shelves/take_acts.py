"""Takes what browsers did with messages into the log: each act of each message once, whoever repeats it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation

from kizuna.core import clock, ids
from kizuna.engine.append import Statement
from kizuna.engine.moment import Item
from kizuna.events.log import Log
from kizuna.messages import sql_shelf, sql_told
from kizuna.messages.report import of_customer, properties
from kizuna.messages.sql_shelf import DELIVERED, READ, SEEN, Lying
from kizuna.profiles import store as profiles
from kizuna.runtime.database import Database
from kizuna.shelves.show import button_id
from kizuna.shelves.stays import page_of
from kizuna.templates.in_page import MOST_BUTTONS

TAKEN = "taken"  # our own word for the first pull; the others are those of the wire
# the state or fact that an act makes, and what it says about the row on the shelf
_MEANS = {
    TAKEN: ("delivered", DELIVERED),
    "impression": ("opened", SEEN),
    "click": ("clicked", READ),
    "dismiss": ("dismissed", None),
    "read": ("read", READ),
    "delete": ("deleted", None),
}
_CLEARS = {"in_app": ("click", "dismiss", "delete"), "inbox": ("delete",)}
_CLEARS_ELSE = ("dismiss", "delete")
_BUTTONS = frozenset(button_id(place) for place in range(MOST_BUTTONS))


class Done(Struct, frozen=True):
    """An act with the message that it was done to."""

    lying: Lying
    act: str
    at: int
    button: str | None = None

    @property
    def key(self) -> bytes:
        return ids.derive("in-page", self.lying.id, self.act, self.button or "")

    @property
    def is_possible(self) -> bool:
        return self.button is None or (self.act == "click" and self.button in _BUTTONS)


def done(lying: Lying, act: str, said: str, now: int, button: str | None = None) -> Done:
    """`said` is the browser's time: not before the message was placed, not in the future."""
    at = clock.read_time(said) or now
    return Done(lying, act, max(min(at, now), min(lying.placed_at, now)), button)


async def take_acts(database: Database, log: Log, workspace: int, acts: Sequence[Done]) -> int | None:
    """Their position; None when all were known."""
    try:
        return await _take(database, log, workspace, acts)
    except UniqueViolation:  # the same was told twice at once: now it is known
        return await _take(database, log, workspace, acts)


async def _take(database: Database, log: Log, workspace: int, acts: Sequence[Done]) -> int | None:
    new = {each.key: each for each in acts}
    async with database.connection() as conn:
        for known in await sql_told.known(conn, workspace, list(new)):
            del new[known]
        living = await _living(conn, workspace, list(new.values()))
    items: list[Item] = []
    before: list[Statement] = []
    for key, each in new.items():
        profile = living.get(each.lying.profile)
        if profile is None:
            continue  # erased
        state, _ = _MEANS[each.act]
        items.append(of_customer(profile, state, each.at, _said(each)))
        before += [sql_told.once(workspace, key, each.at), *_shelved(workspace, each)]
    return await log.append(workspace, items, before) if items else None


async def _living(conn: AsyncConnection[Any], workspace: int, acts: Sequence[Done]) -> dict[bytes, bytes]:
    return await profiles.survivors(conn, workspace, sorted({each.lying.profile for each in acts}))


def _shelved(workspace: int, done: Done) -> list[Statement]:
    lying = done.lying
    if done.act in _CLEARS.get(lying.channel, _CLEARS_ELSE):
        return [sql_shelf.clear(workspace, lying.id)]
    mark = _MEANS[done.act][1]
    return [sql_shelf.mark(workspace, lying.id, mark, done.at)] if mark else []


def _said(done: Done) -> dict[str, Any]:
    said = properties(done.lying)
    if done.act == TAKEN:
        return said
    said["actor"] = "human"
    if done.button is not None:
        said["button"] = done.button
    if done.act == "click":
        page = page_of(done.lying)
        labels = {button_id(place): button for place, button in enumerate(page["buttons"])}
        clicked = labels.get(done.button, {}) if done.button else page
        said |= {name: clicked[name] for name in ("label", "url", "event") if clicked.get(name)}
    return said

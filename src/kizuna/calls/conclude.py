"""Say what came of a call: an event on the profile, and what it means for consent and the number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection

from kizuna.calls import rule, store
from kizuna.calls.rule import DO_NOT_CALL, REACHED, WRONG_NUMBER
from kizuna.calls.store import CHANNEL, Entry
from kizuna.consent import store as consent
from kizuna.consent.choose import Choice, item_of
from kizuna.consent.decide import OPTED_OUT
from kizuna.core import exact_json, ids
from kizuna.core.errors import Conflict, NotFound
from kizuna.engine.moment import Item
from kizuna.engine.slice import Workspace
from kizuna.messages import sql_sending, sql_tray, tray
from kizuna.messages.deliver import LOG
from kizuna.messages.desk import Desk
from kizuna.messages.report import new_id, of_customer
from kizuna.providers.call_list import Settings
from kizuna.runtime.database import in_one_go

FINISHED = "Call Finished"
LONGEST_NOTE = 2_000


class Said(Struct, frozen=True, kw_only=True):
    """What the caller says of it."""

    outcome: str
    note: str = ""
    callback_at: int | None = None
    properties: Mapping[str, Any] = {}


def conclude(
    connection: Connection[Any], desk: Desk, workspace: Workspace, message: bytes, who: str, said: Said
) -> tuple[Entry, int | None]:
    """The entry as it stands then, and the position of what the log hears; None where it is to be called again. Only
    who took it says so, also after its time."""
    with in_one_go(connection, [LOG]) as cursor:
        now = sql_sending.now(cursor, workspace.id)
        store.claim(cursor, workspace.id, message)
        entry = store.one(cursor, workspace.id, message, now)
        if entry is None:
            raise NotFound("no such call on the lists of this workspace")
        if entry.taken_by != who or entry.taken_until is None:
            raise Conflict(f"this call is {entry.state}: take it first", code="not_taken")
        settings = msgspec.convert(sql_tray.settings(cursor, workspace.id, entry.provider), Settings)
        then = rule.after(said.outcome, entry.tries, said.callback_at, settings, now, entry.expires_at, workspace.zone)
        store.conclude(cursor, workspace.id, message, then, said.outcome, said.note[:LONGEST_NOTE], now)
        items = _items(entry, said, then.tries, now) if then.is_finished else []
        opted_out = [(item.profile, item.id, CHANNEL, "") for item in items if item.type == "consent"]
        cursor.execute(*consent.vetoes(workspace.id, opted_out))
        position = tray.append(cursor, workspace.id, items, desk.partitions) if items else None
        found = store.one(cursor, workspace.id, message, now)
        assert found  # noqa: S101  # it is locked
        return found, position


def _items(entry: Entry, said: Said, tries: int, now: int) -> list[Item]:
    name = ids.show("msg", entry.message)
    about = {"message": name, "channel": CHANNEL, **entry.about()}
    told = {**said.properties, **about, "outcome": said.outcome, "tries": tries, "note": said.note[:LONGEST_NOTE]}
    items = [
        Item(
            profile=entry.profile, id=new_id(), type="track", name=FINISHED, timestamp=now,
            properties=exact_json.encode(told), received_at=now,
        )
    ]  # fmt: skip
    if said.outcome == REACHED:
        items.append(of_customer(entry.profile, "delivered", now, about | {"address": entry.phone}))
    elif said.outcome == WRONG_NUMBER:
        harm = {"address": entry.phone, "class": "hard", "reason": WRONG_NUMBER}
        items.append(of_customer(entry.profile, "bounced", now, about | harm))
    elif said.outcome == DO_NOT_CALL:
        proof = {"message": name, "by": entry.taken_by, "note": said.note[:LONGEST_NOTE]}
        items.append(item_of(entry.profile, Choice(CHANNEL, OPTED_OUT, source="call", proof=proof), now))
    return items

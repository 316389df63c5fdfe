"""What comes of a letter: its code is shown in a shop, or the post brings it back. Each is said once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from kizuna.channels import key_of
from kizuna.core import exact_json, ids
from kizuna.core.errors import Conflict, NotFound
from kizuna.engine.moment import Item
from kizuna.engine.slice import Workspace
from kizuna.letters import store
from kizuna.letters.store import CHANNEL, Known
from kizuna.messages import sql_sending, tray
from kizuna.messages.deliver import LOG
from kizuna.messages.desk import Desk
from kizuna.messages.report import new_id, of_customer
from kizuna.paper import code as codes
from kizuna.runtime.database import in_one_go

REDEEMED = "Letter Code Redeemed"
LONGEST_REASON = 500


def redeem(
    connection: Connection[Any], desk: Desk, workspace: Workspace, typed: str, properties: Mapping[str, Any]
) -> tuple[Known, int]:
    """The letter, and the position of the event; raises `NotFound`, or `Conflict` the second time."""
    code = codes.read(typed)
    with in_one_go(connection, [LOG]) as cursor:
        letter = store.by_codes(cursor, workspace.id, [code]).get(code) if code else None
        if code is None or letter is None:
            raise NotFound("no letter of this workspace bears this code: look at it again", code="unknown_code")
        if letter.posted_at is None:
            raise Conflict("the letter with this code is not posted yet", code="not_posted")
        now = sql_sending.now(cursor, workspace.id)
        if not store.redeem(cursor, workspace.id, code, now):
            raise Conflict("this code was redeemed before", code="already_redeemed")
        said = {**properties, "code": code, "message": ids.show("msg", letter.message), **letter.about()}
        item = Item(
            profile=letter.profile, id=new_id(), type="track", name=REDEEMED, timestamp=now,
            properties=exact_json.encode(said), received_at=now,
        )  # fmt: skip
        return letter, tray.append(cursor, workspace.id, [item], desk.partitions)


def come_back(
    connection: Connection[Any], desk: Desk, workspace: Workspace, typed: Sequence[str], reason: str
) -> tuple[int, list[str], int | None]:
    """How many were new, the codes that name no posted letter, and the position. Nothing more is sent there."""
    known = {each: code for each in typed if (code := codes.read(each))}
    with in_one_go(connection, [LOG]) as cursor:
        found = store.by_codes(cursor, workspace.id, list(known.values()))
        posted = {code: letter for code, letter in found.items() if letter.posted_at is not None}
        now = sql_sending.now(cursor, workspace.id)
        reports = [
            _bounced(letter, reason, now)
            for code, letter in posted.items()
            if store.come_back(cursor, workspace.id, code, now)
        ]
        position = tray.append(cursor, workspace.id, reports, desk.partitions) if reports else None
        return len(reports), [each for each in typed if known.get(each) not in posted], position


def _bounced(letter: Known, reason: str, at: int) -> Item:
    said = {
        "message": ids.show("msg", letter.message), "channel": CHANNEL, "class": "hard",
        "address": key_of(CHANNEL, letter.address), "reason": reason[:LONGEST_REASON], **letter.about(),
    }  # fmt: skip
    return of_customer(letter.profile, "bounced", at, said)

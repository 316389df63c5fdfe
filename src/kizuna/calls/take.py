"""Take a call: whoever does has it alone, and learns what to say only after consent was looked at once more.

From that moment the message is sent: an entry whose taker falls silent is not offered to another (unless it is
transactional), for they may have talked. Who did not dial says `not_called`, and it is open again.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import Connection

from kizuna.calls import store
from kizuna.calls.rule import HELD, OPEN, TAKEN, WITHDRAWN
from kizuna.calls.store import Entry
from kizuna.core import clock
from kizuna.core.errors import Conflict, NotFound
from kizuna.engine.slice import Workspace
from kizuna.messages import sql_sending, tray
from kizuna.messages.claim import Deferred, Refused
from kizuna.messages.deliver import LOG
from kizuna.messages.desk import Desk, Judged
from kizuna.runtime.database import in_one_go

MOST_EXPIRED = 500  # at once
MOST_TRIED = 20  # of a list at once, by who wants the next


class Kept(Struct, frozen=True):
    """Why a call is not made now."""

    reason: str
    until: int | None = None


def take(
    connection: Connection[Any], desk: Desk, workspace: Workspace, message: bytes, who: str, held: int = HELD
) -> Entry:
    """The entry, ours until `taken_until`; raises `Conflict` where another has it or it may not be called (now)."""
    with in_one_go(connection, [LOG]) as cursor:
        taken = _take(cursor, desk, workspace, message, who, held)
    if isinstance(taken, Kept):  # what was written of it stays
        later = f", not before {clock.show(taken.until)}" if taken.until else ""
        raise Conflict(f"they may not be called: {taken.reason}{later}", code="may_not_call")
    return taken


def take_next(
    connection: Connection[Any], desk: Desk, workspace: Workspace, who: str, list_: str | None
) -> Entry | None:
    """The most pressing entry that may be called, ours now; None where there is none. Who else asks gets another."""
    end_expired(connection, desk, workspace)
    while entries := _open(connection, workspace, list_):
        for each in entries:
            try:
                return take(connection, desk, workspace, each.message, who)
            except Conflict:  # somebody else was quicker, or they may not be called: it is not open any more
                continue
    return None


def _open(connection: Connection[Any], workspace: Workspace, list_: str | None) -> list[Entry]:
    with connection.cursor() as cursor:
        now = sql_sending.now(cursor, workspace.id)
        return store.listed(cursor, workspace.id, OPEN, list_, now, MOST_TRIED)


def held_by(connection: Connection[Any], workspace: Workspace, who: str, list_: str | None) -> Entry | None:
    """What this one took and still has time to speak about."""
    with connection.cursor() as cursor:
        now = sql_sending.now(cursor, workspace.id)
        ours = store.listed(cursor, workspace.id, TAKEN, list_, now, MOST_TRIED, by=who)
    return next((each for each in ours if (each.taken_until or 0) > now), None)


def end_expired(connection: Connection[Any], desk: Desk, workspace: Workspace) -> None:
    """What nobody took in time leaves the list."""
    with in_one_go(connection, [LOG]) as cursor:
        now = sql_sending.now(cursor, workspace.id)
        if claims := store.expired(cursor, workspace.id, now, MOST_EXPIRED):
            _, refused = tray.look_again(cursor, desk, workspace, claims, now, expires=True)
            tray.end(cursor, desk, workspace.id, refused)


def _take(cursor: Any, desk: Desk, workspace: Workspace, message: bytes, who: str, held: int) -> Entry | Kept:
    claim = store.claim(cursor, workspace.id, message)
    now = sql_sending.now(cursor, workspace.id)
    entry = store.one(cursor, workspace.id, message, now)
    if entry is None or claim is None:
        raise NotFound("no such call on the lists of this workspace")
    if entry.state != OPEN:
        by = f" by {entry.taken_by}" if entry.taken_by else ""
        raise Conflict(f"this call is {entry.state}{by}", code="taken")
    if entry.next_at > now:
        raise Conflict(f"they are to be called again at {clock.show(entry.next_at)}", code="too_early")
    (kept, refused) = tray.look_again(cursor, desk, workspace, [claim], now, expires=True)
    if refused:
        return _withdraw(cursor, desk, workspace.id, entry, refused[0])
    (one,) = kept
    if isinstance(one.verdict, Deferred):
        store.put_off(cursor, workspace.id, message, one.verdict.until)
        return Kept("quiet_hours", one.verdict.until)
    store.take(cursor, workspace.id, message, who, now + held)
    if entry.message_state == "handed":
        reports = tray.sent(cursor, workspace.id, [(claim.message, one.profile)], now, entry.provider)
        desk.append(cursor, workspace.id, reports, claim.message.root)
    found = store.one(cursor, workspace.id, message, now)
    assert found  # noqa: S101  # it is locked
    return found


def _withdraw(cursor: Any, desk: Desk, workspace: int, entry: Entry, refused: Judged) -> Kept:
    """They opted out, moved or left since it was listed."""
    assert isinstance(refused.verdict, Refused)  # noqa: S101
    reason = refused.verdict.reason or refused.verdict.state
    if entry.message_state == "handed":
        tray.end(cursor, desk, workspace, [refused])
    store.withdraw(cursor, workspace, entry.message, WITHDRAWN, reason)
    return Kept(reason)

"""Tell a restored copy that it is the original: from now on it sends."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from kizuna.core.errors import Conflict
from kizuna.messages import sql_sending
from kizuna.messages.desk import Desk
from kizuna.messages.message import Claimed, Ending
from kizuna.messages.report import of_sender

BATCH = 1000
REASON = "restored"


def unlock_sending(connection: Connection[Any], desk: Desk, waiting: str | None) -> str:
    """What was done, in a line. `waiting` says what becomes of due marketing messages: `send` or `drop`.

    The original may have sent them after the backup was taken, so nobody but the operator can know; raises `Conflict`
    when there are any and nothing was said.
    """
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        due = sql_sending.open_when_locked(cursor, BATCH)
        if due and waiting is None:
            count = f"{BATCH} or more" if len(due) == BATCH else str(len(due))
            raise Conflict(
                f"{count} marketing messages are due: say `--waiting send` if the original stopped before the backup"
                " was taken, `--waiting drop` if it went on and may have sent them"
            )
        dropped = 0
        while due and waiting == "drop":
            _drop(cursor, desk, due)
            dropped += len(due)
            due = sql_sending.open_when_locked(cursor, BATCH)
        if not sql_sending.unlock_sending(cursor):
            return "sending was not locked"
        cursor.execute("NOTIFY kizuna_send")
    return f"sending is unlocked; {dropped} messages ended as unknown" if dropped else "sending is unlocked"


def _drop(cursor: Any, desk: Desk, messages: list[Claimed]) -> None:
    """They may be sent or not, as after a crash on the wire: `unknown`, and never sent blindly."""
    for workspace in sorted({message.workspace for message in messages}):
        now = sql_sending.now(cursor, workspace)
        own = [message for message in messages if message.workspace == workspace]
        sql_sending.finish(cursor, workspace, [_unknown(message, now) for message in own])
        reports = [of_sender(message, message.profile, "unknown", now, reason=REASON) for message in own]
        desk.append(cursor, workspace, reports, min(message.root for message in own))
        cursor.execute("NOTIFY kizuna_log")


def _unknown(message: Claimed, now: int) -> Ending:
    return Ending(id=message.id, fence=message.fence, state="unknown", reason=REASON, history=[("unknown", now)])

"""SQL of what messages wait for while their templates draw on others, and of codes whose message came to an end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kizuna.core import ids
from kizuna.messages.message import OPEN, UNSAID


def holders(cursor: Any, workspace: int, messages: Sequence[bytes]) -> dict[bytes, bytes]:
    """By message, an id that all channels of one message share."""
    cursor.execute(
        "SELECT id, profile, purpose, occurrence FROM message WHERE workspace = %s AND id = ANY(%s::bytea[])",
        [workspace, list(messages)],
    )
    return {message: ids.derive("holder", *said) for message, *said in cursor.fetchall()}


def wait(cursor: Any, workspace: int, messages: Sequence[bytes], seconds: float) -> int:
    """Claimed messages stay planned, and are not claimed for so long; the end of the wait, in real time, names it."""
    cursor.execute("SELECT real_now() + %s", [int(seconds * 1_000_000)])
    until: int = cursor.fetchone()[0]
    cursor.execute(
        "UPDATE message SET lease_until = %s WHERE workspace = %s AND id = ANY(%s::bytea[])",
        [until, workspace, list(messages)],
    )
    return until


def still_waiting(cursor: Any, workspace: int, messages: Sequence[bytes], until: int, seconds: float) -> list[bytes]:
    """Those that wait for nothing else meanwhile; they wait on, so long."""
    cursor.execute(
        "UPDATE message SET lease_until = real_now() + %s WHERE workspace = %s AND id = ANY(%s::bytea[])"
        " AND state = 'planned' AND lease_until = %s RETURNING id",
        [int(seconds * 1_000_000), workspace, list(messages), until],
    )
    return [row[0] for row in cursor.fetchall()]


def go_on(cursor: Any, workspace: int, messages: Sequence[bytes]) -> None:
    """Their wait is over."""
    cursor.execute(
        "UPDATE message SET lease_until = NULL WHERE workspace = %s AND id = ANY(%s::bytea[]) AND state = 'planned'",
        [workspace, list(messages)],
    )


def settle_codes(cursor: Any) -> None:
    """Codes of messages that came to an end elsewhere: in the fold, or by a report about one that was `unknown`."""
    cursor.execute(
        "UPDATE promotion_code c SET state = CASE WHEN gone THEN 'free' ELSE 'committed' END,"
        " holder = CASE WHEN gone THEN NULL ELSE c.holder END, profile = CASE WHEN gone THEN NULL ELSE c.profile END,"
        " message = CASE WHEN gone THEN NULL ELSE c.message END"
        " FROM (SELECT workspace, id, state, state = ANY(%s) AS gone FROM message) m"
        " WHERE c.state = 'reserved' AND m.workspace = c.workspace AND m.id = c.message AND m.state <> ALL(%s)",
        [list(UNSAID), [*OPEN, "unknown"]],
    )

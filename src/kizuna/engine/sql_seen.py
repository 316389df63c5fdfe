"""SQL that forgets messageIds: after a time they may be said again."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from kizuna.core.clock import DAY
from kizuna.engine.moment import REMEMBERED

UNFOLDED = 8 * DAY  # older than anything that still waits in the log: it is judged by the instant at which it came
MOST = 10_000  # rows a step


def forget(connection: Connection[Any]) -> bool:
    """A step, of an autocommit connection; says whether there may be more. Ages are by the clock of each workspace."""
    found = connection.execute("SELECT id, CASE clock WHEN 'test' THEN now ELSE real_now() END FROM workspace")
    is_more = False
    for workspace, now in found.fetchall():
        is_more |= _forget(connection, workspace, now - REMEMBERED - UNFOLDED)
    return is_more


def _forget(connection: Connection[Any], workspace: int, before: int) -> bool:
    """Never waits for the fold, which locks rows in an order of its own."""
    gone = connection.execute(
        "DELETE FROM seen WHERE ctid = ANY(ARRAY(SELECT ctid FROM seen WHERE workspace = %s AND at < %s LIMIT %s"
        " FOR UPDATE SKIP LOCKED))",
        [workspace, before, MOST],
    )
    return gone.rowcount == MOST

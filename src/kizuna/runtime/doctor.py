"""Is everything as it must be? Each check is one question to the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from msgspec import Struct

from kizuna.core.errors import KizunaError
from kizuna.runtime import migrate
from kizuna.runtime.database import connect

GRACE = 60 * 1_000_000  # microseconds that something due may wait

# `now` of a workspace is its own clock; a live one's is the machine's
_NOW = "CASE w.clock WHEN 'test' THEN w.now ELSE (extract(epoch FROM clock_timestamp()) * 1e6)::bigint END"
# ruff: noqa: S608  # the statements are constants of this file
QUESTIONS = {
    "messages_unclaimed": (
        "SELECT count(*) FROM message m JOIN workspace w ON w.id = m.workspace"
        f" WHERE m.state IN ('planned', 'claimed', 'handed') AND m.due_at < {_NOW} - %s"
        " AND NOT EXISTS (SELECT FROM definition d WHERE d.workspace = m.workspace AND d.retired IS NULL"
        " AND d.status = 'paused' AND (d.kind, d.name) IN"
        " (('campaign', m.campaign), ('journey', m.journey), ('sending', m.channel)))",
        "messages are due and not claimed: is `kizuna send` running?",
    ),
    "timers_unfired": (
        f"SELECT count(*) FROM alarm a JOIN workspace w ON w.id = a.workspace WHERE a.at < {_NOW} - %s",
        "timers are due and not fired: is `kizuna work` running?",
    ),
    "log_unread": (
        "SELECT count(*) FROM log_head h JOIN workspace w ON w.id = h.workspace"
        f' WHERE h.applied < h."offset" AND h.at < {_NOW} - %s',
        "partitions have rows that no worker folded: is `kizuna work` running for all partitions?",
    ),
    "profiles_parked": (
        "SELECT count(DISTINCT (workspace, profile)) FROM parked WHERE %s > 0",
        "profiles are parked because folding them raised: table `parked` has the errors",
    ),
}


class Check(Struct, frozen=True):
    """One answer."""

    name: str
    ok: bool
    message: str
    found: int = 0


Examine = Callable[[psycopg.Connection[Any]], list[Check]]


def examine(url: str, more: Sequence[Examine] = ()) -> list[Check]:
    """All checks, also `more` of the slices; those that need the schema only when it is current."""
    try:
        with connect(url, name="kizuna doctor", autocommit=True) as connection:
            try:
                migrate.require_current(connection)
            except KizunaError as error:
                return [_reachable(), Check("schema_current", ok=False, message=str(error))]
            current = Check("schema_current", ok=True, message=f"schema {migrate.current(connection)}")
            found = [_reachable(), current, *(_ask(connection, name) for name in QUESTIONS)]
            return [*found, *(check for ask in more for check in ask(connection))]
    except KizunaError as error:
        return [Check("database_reachable", ok=False, message=str(error))]


def _reachable() -> Check:
    return Check("database_reachable", ok=True, message="the database answers")


def _ask(connection: psycopg.Connection[Any], name: str) -> Check:
    statement, advice = QUESTIONS[name]
    row = connection.execute(statement, [GRACE]).fetchone()  # type: ignore[arg-type]  # constants of this file
    found = row[0] if row else 0
    return Check(name, ok=found == 0, message=f"{found} {advice}" if found else "none", found=found)

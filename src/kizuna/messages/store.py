"""SQL of the ledger as the fold writes it and as it is read."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from kizuna.core.clock import DAY
from kizuna.engine.append import Statement
from kizuna.messages import sql_shelf
from kizuna.messages.message import (
    ADDRESSED,
    ENGAGED,
    RANK,
    AdvanceMessage,
    CancelPlanned,
    EndPlanned,
    MovePlanned,
    NoteHarm,
    PlanMessage,
    RestateMessage,
    passed,
    restated,
    written_as,
    written_history,
)  # fmt: skip

_COLUMNS = {
    "id": "bytea", "profile": "bytea", "state": "text", "channel": "text", "purpose": "text", "occurrence": "text",
    "template": "text", "template_version": "integer", "journey": "text", "run": "text", "step": "text",
    "campaign": "text", "variant": "text", "topic": "text", "transactional": "boolean", "data": "text",
    "event": "bytea", "at": "bigint", "due_at": "bigint", "expires_at": "bigint", "root": "bigint", "address": "text",
    "reason": "text", "caused_by": "text", "provider": "text",
}  # fmt: skip
_ARRAYS = ", ".join(f"%b::{kind}[]" for kind in _COLUMNS.values())
_PLAN = f"""
INSERT INTO message (workspace, id, profile, state, channel, purpose, occurrence, template, template_version, journey,
    run, step, campaign, variant, topic, transactional, data, event, planned_at, due_at, expires_at, root, address,
    reason, caused_by, provider, history)
SELECT %s, id, profile, state, channel, purpose, occurrence, template, template_version, journey, run, step, campaign,
    variant, topic, transactional, data::jsonb, event, at, due_at, expires_at, root, address, reason, caused_by,
    provider, ARRAY[passed]
FROM unnest({_ARRAYS}, %b::bigint[]) AS new ({", ".join(_COLUMNS)}, passed)
ON CONFLICT (workspace, id) DO NOTHING
"""  # noqa: S608  # our own column names


def plan(cursor: Any, workspace: int, effects: list[PlanMessage]) -> str | None:
    """Write granted and refused messages; the sender is told when there is something to send."""
    if not effects:
        return None
    cursor.execute(
        _PLAN,
        [
            workspace,
            *([getattr(row, name) for row in effects] for name in _COLUMNS),
            [passed(row.state, row.at) for row in effects],
        ],
    )
    return "kizuna_send" if any(row.state == "planned" for row in effects) else None


def cancel(cursor: Any, workspace: int, effects: list[CancelPlanned]) -> None:
    """Mark what left runs planned and nobody claimed; the sender ends it as `skipped(exited)`, with its fact. What is
    at a provider is marked too: handed back, it is not tried again."""
    runs, at = [e.run for e in effects], [e.at for e in effects]
    cursor.execute(
        "WITH changed AS (UPDATE message m SET reason = 'exited', due_at = least(m.due_at,"
        " (SELECT min(gone.at) FROM unnest(%(runs)b::text[], %(at)b::bigint[]) AS gone (run, at)"
        " WHERE gone.run = m.run))"
        " WHERE m.workspace = %(workspace)s AND m.journey IS NOT NULL"
        " AND (m.state = 'planned' AND m.run = ANY(%(runs)b::text[])"
        " OR m.state = 'handed' AND m.run = ANY(%(runs)b::text[])) RETURNING m.id)"
        " SELECT pg_notify('kizuna_send', '') WHERE EXISTS (SELECT FROM changed)",
        {"runs": runs, "at": at, "workspace": workspace},
    )
    # after it: who was laying one down meanwhile had the message locked, and is done
    sql_shelf.drop_of_runs(cursor, workspace, runs)


def move(cursor: Any, workspace: int, effects: list[MovePlanned]) -> None:
    """Say when what was held back may go; what is to be ended already stays as it is."""
    cursor.execute(
        "WITH changed AS (UPDATE message m SET due_at = new.due_at"
        " FROM unnest(%b::bytea[], %b::bigint[]) AS new (id, due_at)"
        " WHERE m.workspace = %s AND m.id = new.id AND m.state = 'planned' AND m.reason IS NULL RETURNING m.id)"
        " SELECT pg_notify('kizuna_send', '') WHERE EXISTS (SELECT FROM changed)",
        [[e.id for e in effects], [e.due_at for e in effects], workspace],
    )


def end(cursor: Any, workspace: int, effects: list[EndPlanned]) -> None:
    """End what was held back and will not be sent."""
    cursor.execute(
        "UPDATE message m SET state = new.state, reason = new.reason,"
        " history = m.history || new.passed"
        " FROM unnest(%b::bytea[], %b::text[], %b::text[], %b::bigint[]) AS new (id, state, reason, passed)"
        " WHERE m.workspace = %s AND m.id = new.id AND m.state = 'planned' AND m.reason IS NULL",
        [
            *([getattr(e, name) for e in effects] for name in ("id", "state", "reason")),
            [passed(e.state, e.at) for e in effects],
            workspace,
        ],
    )


def note_harm(cursor: Any, workspace: int, effects: list[NoteHarm]) -> None:
    """Remember complaints and hard bounces; whoever judges them is told."""
    cursor.execute(
        "INSERT INTO harm (workspace, message, what, at)"
        " SELECT %s, * FROM unnest(%b::bytea[], %b::text[], %b::bigint[]) ON CONFLICT DO NOTHING",
        [workspace, *([getattr(e, name) for e in effects] for name in ("message", "what", "at"))],
    )
    cursor.execute("NOTIFY kizuna_launch")


def advance(cursor: Any, workspace: int, effects: list[AdvanceMessage]) -> None:
    """Add reports to the history; the state only moves up in rank, whatever the order of arrival, and by nothing that
    a machine did."""
    reports: dict[bytes, list[AdvanceMessage]] = {}
    for effect in effects:
        reports.setdefault(effect.id, []).append(effect)
    furthest = [max(said, key=_rank) for said in reports.values()]
    cursor.execute(
        "UPDATE message m SET history = m.history || new.history::bigint[],"
        " state = CASE WHEN coalesce(array_position(%b::text[], m.state), 0) <= new.rank"
        "              THEN new.state ELSE m.state END,"
        " reason = CASE WHEN coalesce(array_position(%b::text[], m.state), 0) <= new.rank"
        "               THEN coalesce(new.reason, m.reason) ELSE m.reason END"
        " FROM unnest(%b::bytea[], %b::text[], %b::integer[], %b::text[], %b::text[])"
        "      AS new (id, state, rank, reason, history)"
        " WHERE m.workspace = %s AND m.id = new.id",
        [
            list(RANK),
            list(RANK),
            list(reports),
            [report.state for report in furthest],
            [_rank(report) for report in furthest],
            [report.reason for report in furthest],
            [written_history((written_as(r.state, r.actor), r.at) for r in said) for said in reports.values()],
            workspace,
        ],
    )


def _rank(report: AdvanceMessage) -> int:
    """Counted from 1, as PostgreSQL counts; 0 moves nothing."""
    return 0 if report.actor == "machine" else RANK[report.state] + 1


def restate(cursor: Any, workspace: int, effects: list[RestateMessage]) -> None:
    """Opens and clicks that were a machine's after all: the state goes back to what remains."""
    for effect in effects:
        cursor.execute(
            "SELECT history, state FROM message WHERE workspace = %s AND id = %s FOR UPDATE", [workspace, effect.id]
        )
        if (row := cursor.fetchone()) is None:
            continue
        history, remains = restated(row[0], effect.acts)
        state = remains if row[1] in ENGAGED else row[1]
        cursor.execute(
            "UPDATE message SET history = %s::bigint[], state = %s WHERE workspace = %s AND id = %s",
            [history, state, workspace, effect.id],
        )


def resend(workspace: int, message: bytes, now: int) -> Statement:
    """The statement that plans an `unknown` message anew, for a day at least."""
    return (
        "UPDATE message SET state = 'planned', reason = NULL, due_at = %s, lease_until = NULL,"
        " expires_at = greatest(expires_at, %s), history = history || %s::bigint"
        " WHERE workspace = %s AND id = %s AND state = 'unknown'",
        (now, now + DAY, passed("planned", now), workspace, message),
    )


# reading -------------------------------------------------------------------------------------------------------------

_SHOWN = (
    "id, profile, state, reason, channel, template, template_version, topic, journey, run, step, campaign, variant,"
    " transactional, planned_at, due_at, expires_at, provider, address, attempts, trouble, caused_by, history, purpose,"
    " consent, proof, data -> 'kizuna_test' -> 'of' AS copy_of"
)


async def listed(
    conn: AsyncConnection[Any],
    workspace: int,
    filters: dict[str, list[Any]],
    before: tuple[int, bytes] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Messages newest first; `filters` are columns and the values they may have."""
    where = "".join(f" AND {column} = ANY(%({column})s)" for column in filters)
    page = " AND (planned_at, id) < (%(before_at)s, %(before_id)s)" if before else ""
    found = await conn.execute(
        f"SELECT {_SHOWN} FROM message WHERE workspace = %(workspace)s{where}{page}"  # noqa: S608  # our own column names
        " ORDER BY planned_at DESC, id DESC LIMIT %(limit)s",  # type: ignore[arg-type]
        {
            **filters,
            "workspace": workspace,
            "limit": limit,
            "before_at": before[0] if before else 0,
            "before_id": before[1] if before else b"",
        },
    )
    return [dict(zip(_names(), row, strict=True)) for row in await found.fetchall()]


async def troubles(conn: AsyncConnection[Any], workspace: int) -> list[tuple[str, str, int, int]]:
    """(state, channel, how many, planned_at of the latest) of messages that may have gone astray."""
    found = await conn.execute(
        "SELECT state, channel, count(*), max(planned_at) FROM message"
        " WHERE workspace = %s AND state IN ('unknown', 'rejected')"
        " GROUP BY state, channel ORDER BY state DESC, channel",
        [workspace],
    )
    return await found.fetchall()


async def one(conn: AsyncConnection[Any], workspace: int, message: bytes) -> dict[str, Any] | None:
    found = await conn.execute(
        f"SELECT {_SHOWN} FROM message WHERE workspace = %s AND id = %s",  # type: ignore[arg-type]  # noqa: S608
        [workspace, message],
    )
    row = await found.fetchone()
    return dict(zip(_names(), row, strict=True)) if row else None


def _names() -> list[str]:
    return [name.strip().rpartition(" AS ")[2] for name in _SHOWN.split(",")]


async def content(
    conn: AsyncConnection[Any], workspace: int, message: bytes
) -> tuple[str | None, str, list[str]] | None:
    """Subject, body and links as they were sent."""
    found = await conn.execute(
        "SELECT subject, body, coalesce(links, '[]') FROM message"
        " WHERE workspace = %s AND id = %s AND body IS NOT NULL",
        [workspace, message],
    )
    return await found.fetchone()


async def outbox(
    conn: AsyncConnection[Any], workspace: int, before: tuple[int, int], limit: int
) -> list[tuple[int, int, dict[str, Any]]]:
    """(id, at, item) of what the built-in sink received, newest first; `before` is (at, id)."""
    found = await conn.execute(
        "SELECT id, at, item FROM outbox WHERE workspace = %s AND (at, id) < (%s, %s)"
        " ORDER BY at DESC, id DESC LIMIT %s",
        [workspace, *before, limit],
    )
    return await found.fetchall()


async def person(
    conn: AsyncConnection[Any], workspace: int, profile: bytes
) -> tuple[bytes, bytes | None, bytes | None, dict[str, Any] | None] | None:
    """(id, profiles section, consent section, traits) of the record that this id names now, after merges."""
    for _ in range(100):
        found = await conn.execute(
            "SELECT id, profiles, consent, traits, merged_into FROM profile WHERE workspace = %s AND id = %s",
            [workspace, profile],
        )
        row = await found.fetchone()
        if row is None:
            return None
        if row[4] is None:
            return row[:4]
        profile = row[4]
    return None


async def recipient(
    conn: AsyncConnection[Any], workspace: int, row: dict[str, Any]
) -> tuple[bytes, bytes | None, bytes | None, dict[str, Any] | None] | None:
    """As `person`, of a message; one that was said to an address alone has no record of a customer, and needs none."""
    found = await person(conn, workspace, row["profile"])
    return (row["profile"], None, None, None) if found is None and row["purpose"] in ADDRESSED else found


async def neutral(conn: AsyncConnection[Any], workspace: int) -> str:
    """What no choice means where a topic does not say so: `opt_in` or `opt_out`."""
    found = await conn.execute("SELECT consent FROM workspace WHERE id = %s", [workspace])
    row = await found.fetchone()
    return row[0] if row else "opt_in"


async def open_vetoes(conn: AsyncConnection[Any], workspace: int, profiles: list[bytes]) -> list[tuple[str, str]]:
    """(channel, topic) of opt-outs accepted and not yet folded."""
    found = await conn.execute(
        "SELECT channel, topic FROM veto WHERE workspace = %s AND profile = ANY(%b::bytea[])", [workspace, profiles]
    )
    return await found.fetchall()


# what was paused -----------------------------------------------------------------------------------------------------


async def put_off(
    conn: AsyncConnection[Any],
    workspace: int,
    now: int,
    *,
    campaign: str | None = None,
    journey: str | None = None,
    channel: str | None = None,
) -> None:
    """What fell due while it was paused is due now: a test clock takes a message's own time for that of its sending."""
    await conn.execute(
        "UPDATE message SET due_at = %(now)s WHERE workspace = %(workspace)s AND state = 'planned' AND due_at < %(now)s"
        " AND state IN ('planned', 'claimed', 'handed') AND (%(campaign)s::text IS NULL OR campaign = %(campaign)s)"
        " AND (%(journey)s::text IS NULL OR journey = %(journey)s)"
        " AND (%(channel)s::text IS NULL OR channel = %(channel)s AND NOT transactional)",
        {"workspace": workspace, "now": now, "campaign": campaign, "journey": journey, "channel": channel},
    )


# policy and topics ---------------------------------------------------------------------------------------------------


async def definitions(
    conn: AsyncConnection[Any], workspace: int, kind: str, after: str = "", limit: int = 1000
) -> list[tuple[str, int, str, dict[str, Any], int]]:
    """(name, version, status, body, published_at) of what rules of a kind, by name."""
    found = await conn.execute(
        "SELECT name, version, status, body, published_at FROM definition"
        " WHERE workspace = %s AND kind = %s AND retired IS NULL AND name > %s ORDER BY name LIMIT %s",
        [workspace, kind, after, limit],
    )
    return await found.fetchall()

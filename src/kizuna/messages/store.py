"""SQL of the ledger as the fold writes it and as it is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from psycopg import AsyncConnection

from kizuna.core import ids
from kizuna.engine.append import Statement
from kizuna.engine.slice import Workspace
from kizuna.messages.message import (
    NUMBER,
    NUMBER_BITS,
    RANK,
    TO,
    AdvanceMessage,
    CancelPlanned,
    Claimed,
    Ending,
    EndPlanned,
    MovePlanned,
    NoteHarm,
    PlanMessage,
    Said,
    passed,
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
    """Add reports to the history; the state only moves up in rank, whatever the order of arrival."""
    reports: dict[bytes, list[AdvanceMessage]] = {}
    for effect in effects:
        reports.setdefault(effect.id, []).append(effect)
    furthest = [max(said, key=lambda report: RANK[report.state]) for said in reports.values()]
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
            [RANK[report.state] + 1 for report in furthest],
            [report.reason for report in furthest],
            [_history((r.state, r.at) for r in said) for said in reports.values()],
            workspace,
        ],
    )


def _history(states: Iterable[tuple[str, int]]) -> str:
    return f"{{{','.join(str(passed(state, at)) for state, at in states)}}}"


# reading -------------------------------------------------------------------------------------------------------------

_SHOWN = (
    "id, profile, state, reason, channel, template, template_version, topic, journey, run, step, campaign, variant,"
    " transactional, planned_at, due_at, expires_at, provider, address, attempts, trouble, caused_by, history, purpose"
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


async def one(conn: AsyncConnection[Any], workspace: int, message: bytes) -> dict[str, Any] | None:
    found = await conn.execute(
        f"SELECT {_SHOWN} FROM message WHERE workspace = %s AND id = %s",  # type: ignore[arg-type]  # noqa: S608
        [workspace, message],
    )
    row = await found.fetchone()
    return dict(zip(_names(), row, strict=True)) if row else None


def _names() -> list[str]:
    return [name.strip() for name in _SHOWN.split(",")]


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
    return (row["profile"], None, None, None) if found is None and row["purpose"] == TO else found


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


# sending (on a sync cursor) ------------------------------------------------------------------------------------------

_NOW = "CASE w.clock WHEN 'test' THEN w.now ELSE (extract(epoch FROM clock_timestamp()) * 1000000)::bigint END"
_REAL_NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_UNLOCKED = "NOT EXISTS (SELECT FROM installation WHERE sending_locked_at IS NOT NULL)"  # not a restored copy
_OPEN = "m.state IN ('planned', 'claimed', 'handed')"  # as the index of open messages has it
_CLAIMED = (
    "m.workspace, m.id, m.profile, m.channel, m.template, m.template_version, m.topic, m.transactional, m.journey,"
    " m.run, m.step, m.campaign, m.variant, m.data, m.event, m.due_at, m.expires_at, m.root, m.attempts, m.fence,"
    f" m.reason, m.caused_by, CASE m.purpose WHEN '{TO}' THEN m.address END AS to_address"
)
_WIDTH = _CLAIMED.count(",") + 1

# The recursion steps over the index from one channel to the next.
_DUE = f"""
SELECT w.id, w.name, w.clock, w.zone, w.currency, w.consent, t.now,
    CASE open.channel WHEN 'webhook' THEN 'webhook:' || carrier.name ELSE open.channel END AS lane,
    carrier.name, carrier.body
FROM workspace w
CROSS JOIN LATERAL (SELECT {_NOW} AS now) t
CROSS JOIN LATERAL (
    WITH RECURSIVE known (channel) AS (
        SELECT min(m.channel) FROM message m WHERE m.workspace = w.id AND {_OPEN}
        UNION ALL
        SELECT (SELECT min(m.channel) FROM message m
                WHERE m.workspace = w.id AND {_OPEN} AND m.channel > known.channel)
        FROM known WHERE known.channel IS NOT NULL
    ) SELECT channel FROM known WHERE channel IS NOT NULL
) open
LEFT JOIN LATERAL (
    (SELECT name, body FROM definition d WHERE d.workspace = w.id AND d.kind = 'provider' AND d.retired IS NULL
     AND d.body ->> 'channel' = open.channel AND open.channel <> 'webhook' ORDER BY introduced DESC LIMIT 1)
    UNION ALL
    (SELECT name, body FROM definition d WHERE d.workspace = w.id AND d.kind = 'provider' AND d.retired IS NULL
     AND d.body ->> 'channel' = 'webhook' AND open.channel = 'webhook')
) carrier ON true
WHERE (open.channel <> 'webhook' AND EXISTS (
    SELECT FROM message m WHERE m.workspace = w.id AND m.channel = open.channel AND m.state = 'planned' AND {_OPEN}
    AND m.due_at <= t.now)
OR open.channel = 'webhook' AND EXISTS (
    SELECT FROM message m WHERE m.workspace = w.id AND m.channel = 'webhook' AND m.provider = carrier.name
    AND m.state = 'planned' AND {_OPEN} AND m.due_at <= t.now))
AND {_UNLOCKED} ORDER BY w.id, lane
"""  # noqa: S608  # our own texts


class Due(NamedTuple):
    """A lane of a workspace with a message due by the workspace's own clock, and who carries it. It is a channel;
    each web hook has one of its own, for there every message names its carrier."""

    workspace: Workspace
    now: int
    channel: str
    carrier: dict[str, Any] | None  # the provider that was set last; None: the built-in outbox


def due(cursor: Any) -> list[Due]:
    cursor.execute(_DUE)
    found = ((Workspace(*row[:6]), *row[6:]) for row in cursor.fetchall())
    return [
        Due(workspace, now, channel, {**body, "name": name} if body is not None else None)
        for workspace, now, channel, name, body in found
    ]


def installation(cursor: Any) -> tuple[int, bytes]:
    """The number of partitions, and the secret."""
    cursor.execute("SELECT partitions, secret FROM installation")
    return cursor.fetchone()


PersonRow = tuple[bytes | None, Any, bytes | None, bytes | None]  # (merged_into, traits, profiles, consent sections)

# What is paused stays planned: a campaign or journey with all it says, a channel with all but transactional messages.
# Of a cancelled campaign only what is marked to be ended is taken. Each list is read once a statement.
_PAUSED = (
    "ARRAY(SELECT name FROM definition WHERE workspace = %(workspace)s AND kind = '{}' AND retired IS NULL"
    " AND status IN ('paused', 'cancelled'))"
)
_NOT_PAUSED = (
    f"(m.campaign IS NULL OR m.reason IS NOT NULL OR m.campaign <> ALL({_PAUSED.format('campaign')}))"
    f" AND (m.journey IS NULL OR m.journey <> ALL({_PAUSED.format('journey')}))"
    f" AND (m.transactional OR m.channel <> ALL({_PAUSED.format('sending')}))"
)

# One statement is one moment: the fold removes a veto in the transaction that writes the record, so that one of the
# two is always seen.
_CLAIM_OF = """
WITH m AS MATERIALIZED (
    SELECT {columns} FROM message m
    WHERE m.workspace = %(workspace)s AND {lane} AND m.state = 'planned' AND {open}
    AND m.due_at <= %(now)s AND {allowed} ORDER BY m.due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
SELECT m.*, p.merged_into, p.traits, p.profiles, p.consent,
    (SELECT array_agg(ARRAY[v.channel, v.topic]) FROM veto v
     WHERE v.workspace = m.workspace AND v.profile = m.profile)
FROM m LEFT JOIN profile p ON p.workspace = m.workspace AND p.id = m.profile
"""  # our own column names


def _claim_of(lane: str) -> str:
    return _CLAIM_OF.format(columns=_CLAIMED, lane=lane, open=_OPEN, allowed=f"{_NOT_PAUSED} AND {_UNLOCKED}")


_CLAIM = _claim_of("m.channel = %(channel)s")
_CLAIM_HOOK = _claim_of("m.channel = 'webhook' AND m.provider = %(provider)s")


class Claim(NamedTuple):
    """A locked message with the record it was planned for and the opt-outs of it that are not yet folded."""

    message: Claimed
    person: PersonRow | None
    vetoes: list[list[str]]  # [channel, topic]


def claim(cursor: Any, workspace: int, lane: str, now: int, limit: int) -> list[Claim]:
    """Lock due messages of a lane, longest due first; others' locks and what is paused are passed by. A locked copy
    has none."""
    channel, _, hook = lane.partition(":")
    asked = {"workspace": workspace, "now": now, "limit": limit}
    cursor.execute(_CLAIM_HOOK if hook else _CLAIM, asked | ({"provider": hook} if hook else {"channel": channel}))
    return [
        Claim(Claimed(*row[:_WIDTH]), row[_WIDTH:-1] if row[_WIDTH + 1] is not None else None, row[-1] or [])
        for row in cursor.fetchall()
    ]


def open_when_locked(cursor: Any, limit: int) -> list[Claimed]:
    """Marketing messages due in a locked copy: the original may have sent them since the backup. Locked rows."""
    cursor.execute(
        f"SELECT {_CLAIMED} FROM message m WHERE m.state = 'planned' AND {_OPEN} AND NOT m.transactional"  # noqa: S608
        f" AND m.due_at <= (SELECT {_NOW} FROM workspace w WHERE w.id = m.workspace)"
        f" AND NOT {_UNLOCKED} ORDER BY m.workspace, m.root LIMIT %s FOR UPDATE",
        [limit],
    )
    return [Claimed(*row) for row in cursor.fetchall()]


def unlock_sending(cursor: Any) -> bool:
    """Says whether it was locked."""
    cursor.execute("UPDATE installation SET sending_locked_at = NULL WHERE sending_locked_at IS NOT NULL")
    return cursor.rowcount > 0


def vetoes(cursor: Any, workspace: int) -> dict[bytes, set[tuple[str, str]]]:
    """(channel, topic) by profile of every opt-out not yet folded. Read before the records: the fold removes a veto
    in the transaction that writes the record, so that one of the two is always seen."""
    cursor.execute("SELECT profile, channel, topic FROM veto WHERE workspace = %s", [workspace])
    found: dict[bytes, set[tuple[str, str]]] = {}
    for profile, channel, topic in cursor.fetchall():
        found.setdefault(profile, set()).add((channel, topic))
    return found


def people(cursor: Any, workspace: int, profiles: list[bytes]) -> dict[bytes, PersonRow]:
    """Records by id."""
    cursor.execute(
        "SELECT id, merged_into, traits, profiles, consent FROM profile WHERE workspace = %s AND id = ANY(%b::bytea[])",
        [workspace, profiles],
    )
    return {row[0]: row[1:] for row in cursor.fetchall()}


def segments_of(cursor: Any, workspace: int, profiles: list[bytes]) -> dict[bytes, list[str]]:
    cursor.execute(
        "SELECT profile, segment FROM membership WHERE workspace = %s AND profile = ANY(%b::bytea[]) ORDER BY segment",
        [workspace, profiles],
    )
    found: dict[bytes, list[str]] = {}
    for profile, segment in cursor.fetchall():
        found.setdefault(profile, []).append(segment)
    return found


def suppressed(cursor: Any, workspace: int, addresses: list[str]) -> set[tuple[str, str]]:
    cursor.execute(
        "SELECT channel, address FROM suppression WHERE workspace = %s AND address = ANY(%b::text[])",
        [workspace, addresses],
    )
    return set(cursor.fetchall())


def template(cursor: Any, workspace: int, name: str, version: int) -> dict[str, Any] | None:
    """The body of a template's version, or of the newest when the message is not pinned (version 0)."""
    cursor.execute(
        "SELECT body FROM definition WHERE workspace = %s AND kind = 'template' AND name = %s"
        " AND (version = %s OR %s = 0) ORDER BY introduced DESC LIMIT 1",
        [workspace, name, version, version],
    )
    row = cursor.fetchone()
    return row[0] if row else None


def blocks(cursor: Any, workspace: int, names: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """The newest bodies of the templates that others put in, by name."""
    cursor.execute(
        "SELECT name, body FROM definition WHERE workspace = %s AND kind = 'template' AND retired IS NULL"
        " AND name = ANY(%s::text[])",
        [workspace, names],
    )
    return cursor.fetchall()


def carrier(cursor: Any, workspace: int, lane: str) -> dict[str, Any] | None:
    """The provider that was set last for a channel, or the web hook of the lane; those set before stand `beside` it,
    latest first."""
    channel, _, hook = lane.partition(":")
    cursor.execute(
        "SELECT name, body FROM definition WHERE workspace = %s AND kind = 'provider' AND retired IS NULL"
        " AND body ->> 'channel' = %s AND (%s = '' OR name = %s) ORDER BY introduced DESC",
        [workspace, channel, hook, hook],
    )
    found = [{**body, "name": name} for name, body in cursor.fetchall()]
    return {**found[0], "beside": found[1:]} if found else None


def ruling(cursor: Any, workspace: int) -> list[tuple[str, str, dict[str, Any]]]:
    """(kind, name, body) of the policy and the topics that rule now."""
    cursor.execute(
        "SELECT kind, name, body FROM definition WHERE workspace = %s AND kind IN ('policy', 'topic')"
        " AND retired IS NULL",
        [workspace],
    )
    return cursor.fetchall()


def finish(cursor: Any, workspace: int, endings: list[Ending]) -> list[bytes]:
    """Write what became of claimed messages; one whose fence moved on is no longer ours and is left out. One that is
    handed back and was to be ended meanwhile is due, to be ended."""
    cursor.execute(
        "UPDATE message m SET state = new.state, provider = coalesce(new.provider, m.provider),"
        " reason = CASE new.state WHEN 'planned' THEN m.reason ELSE new.reason END,"
        " due_at = CASE WHEN new.state = 'planned' AND m.reason IS NOT NULL THEN m.due_at"
        " ELSE coalesce(new.due_at, m.due_at) END,"
        " address = coalesce(new.address, m.address), lease_until = NULL,"
        " trouble = CASE new.state WHEN 'sent' THEN NULL ELSE coalesce(new.trouble, m.trouble) END,"
        " attempts = m.attempts + new.attempt, history = m.history || new.history::bigint[]"
        " FROM unnest(%b::bytea[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[],"
        " %b::integer[], %b::text[], %b::text[], %b::integer[])"
        " AS new (id, fence, state, reason, provider, address, due_at, attempt, trouble, history, workspace)"
        " WHERE m.workspace = new.workspace AND m.id = new.id AND m.fence = new.fence RETURNING m.id",
        [
            [e.id for e in endings],
            [e.fence for e in endings],
            [e.state for e in endings],
            [e.reason for e in endings],
            [e.provider for e in endings],
            [e.address for e in endings],
            [e.due_at for e in endings],
            [e.attempt for e in endings],
            [e.trouble for e in endings],
            [_history(e.history) for e in endings],
            [workspace] * len(endings),
        ],
    )
    return [row[0] for row in cursor.fetchall()]


_SAY = """
UPDATE message m SET {sets}, attempts = m.attempts + 1, address = new.address, subject = new.subject, body = new.body,
    links = new.links::jsonb, unsubscribe = new.unsubscribe, history = m.history || ARRAY[{history}]
FROM unnest(%(ids)b::bytea[], %(addresses)b::text[], %(subjects)b::text[], %(bodies)b::text[], %(unsubscribes)b::text[],
            %(links)b::text[], %(recipients)b::bytea[], %(workspaces)b::integer[])
     AS new (id, address, subject, body, unsubscribe, links, recipient, workspace)
WHERE m.workspace = new.workspace AND m.id = new.id
"""


_AT = "coalesce(%(at)s::bigint, m.due_at)"


def _say(sets: str, states: Iterable[str]) -> str:
    return _SAY.format(sets=sets, history=", ".join(f"{_AT} << {NUMBER_BITS} | {NUMBER[state]}" for state in states))


_TO_OUTBOX = _say(
    f"state = 'sent', reason = NULL, provider = 'outbox', lease_until = NULL, outbox = nextval('outbox_number'),"
    f" outbox_at = {_AT}, recipient = new.recipient",
    ("claimed", "handed", "sent"),
)
_TO_NETWORK = _say(
    f"state = 'handed', fence = m.fence + 1, provider = %(provider)s, lease_until = {_REAL_NOW} + %(lease)s::bigint",
    ("claimed", "handed"),
)


def put_in_outbox(cursor: Any, workspace: int, said: list[Said], at: int | None) -> None:
    """The built-in sink takes messages that this transaction claimed; `at` None: each at the instant it was due."""
    cursor.execute(_TO_OUTBOX, {"at": at, **_columns(workspace, said)})


def hand(cursor: Any, workspace: int, said: list[Said], provider: str, at: int | None, lease_seconds: float) -> None:
    """Write down that the network is about to be touched for messages that this transaction claimed."""
    lease = int(lease_seconds * 1_000_000)
    values = {"at": at, "provider": provider, "lease": lease, **_columns(workspace, said)}
    cursor.execute(_TO_NETWORK, values)


def _columns(workspace: int, said: list[Said]) -> dict[str, list[Any] | None]:
    """What nobody has is not sent: a missing array is one of NULLs."""
    columns: dict[str, list[Any]] = {
        "workspaces": [workspace] * len(said),  # not one value: by it alone a young table might be walked
        "ids": [each.id for each in said],
        "addresses": [each.address for each in said],
        "subjects": [each.subject for each in said],
        "bodies": [each.body for each in said],
        "unsubscribes": [each.unsubscribe for each in said],
        "links": [msgspec.json.encode(each.links).decode() if each.links else None for each in said],
        "recipients": [each.recipient for each in said],
    }
    return {name: column if any(value is not None for value in column) else None for name, column in columns.items()}


def overdue(cursor: Any, limit: int) -> list[Claimed]:
    """Messages whose sender vanished after the hand-over was written down; locked."""
    cursor.execute(
        f"SELECT {_CLAIMED} FROM message m WHERE m.state = 'handed'"  # noqa: S608
        f" AND m.lease_until < {_REAL_NOW} ORDER BY m.workspace, m.root LIMIT %s FOR UPDATE SKIP LOCKED",
        [limit],
    )
    return [Claimed(*row) for row in cursor.fetchall()]


def now(cursor: Any, workspace: int) -> int:
    """What time it is in a workspace."""
    cursor.execute(f"SELECT {_NOW} FROM workspace w WHERE id = %s", [workspace])  # noqa: S608
    return cursor.fetchone()[0]


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


# what customers did at a channel --------------------------------------------------------------------------------------


async def answered(
    conn: AsyncConnection[Any], workspace: int, profile: bytes, channel: str, provider: str, since: int
) -> dict[str, Any]:
    """What is said of the newest message that somebody who writes to us may be answering; empty where there is none."""
    names = ("template", "journey", "run", "step", "campaign", "variant", "topic")
    found = await conn.execute(
        f"SELECT id, {', '.join(names)} FROM message WHERE workspace = %s AND profile = %s"  # type: ignore[arg-type]  # noqa: S608
        " AND channel = %s AND provider = %s AND planned_at >= %s AND state = ANY(%s)"
        " ORDER BY planned_at DESC, id LIMIT 1",
        [workspace, profile, channel, provider, since, ["sent", "delivered", "opened", "clicked"]],
    )
    row = await found.fetchone()
    if row is None:
        return {}
    return {"message": ids.show("msg", row[0])} | {
        name: value for name, value in zip(names, row[1:], strict=True) if value
    }


async def acts_known(conn: AsyncConnection[Any], workspace: int, acts: list[bytes]) -> list[bytes]:
    """Which of them were taken before."""
    found = await conn.execute("SELECT id FROM act WHERE workspace = %s AND id = ANY(%s::bytea[])", [workspace, acts])
    return [bytes(row[0]) for row in await found.fetchall()]


def act_taken(workspace: int, act: bytes, at: int) -> Statement:
    """The statement to run in the transaction that appends it: the second of an act breaks it."""
    return "INSERT INTO act (workspace, id, at) VALUES (%s, %s, %s)", (workspace, act, at)

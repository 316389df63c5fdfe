"""SQL of the ledger as the sender takes, hands over and ends messages, on a sync cursor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from psycopg import Connection

from kizuna.channels import IN_PAGE, in_page_channels
from kizuna.engine.slice import Workspace
from kizuna.messages.message import (
    ADDRESSED,
    ANSWER,
    NUMBER,
    NUMBER_BITS,
    REPORTED,
    TEST,
    Claimed,
    Ending,
    Said,
    written_history,
)  # fmt: skip
from kizuna.runtime.database import connect

NOW = "CASE w.clock WHEN 'test' THEN w.now ELSE (extract(epoch FROM clock_timestamp()) * 1000000)::bigint END"
_REAL_NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_UNLOCKED = "NOT EXISTS (SELECT FROM installation WHERE sending_locked_at IS NOT NULL)"  # not a restored copy
_OPEN = "m.state IN ('planned', 'claimed', 'handed')"  # as the index of open messages has it
_WAITED = f"(m.lease_until IS NULL OR m.lease_until < {_REAL_NOW})"  # for the answers its template needs
_ADDRESSED = ", ".join(f"'{purpose}'" for purpose in ADDRESSED)
_CLAIMED = (
    "m.workspace, m.id, m.profile, m.channel, m.template, m.template_version, m.topic, m.transactional, m.journey,"
    " m.run, m.step, m.campaign, m.variant, m.data, m.event, m.due_at, m.expires_at, m.root, m.attempts, m.fence,"
    f" m.reason, m.caused_by, CASE WHEN m.purpose IN ({_ADDRESSED}) THEN m.address END AS to_address,"
    f" m.purpose = '{TEST}' AS is_test, m.purpose = '{ANSWER}' AS is_answer"
)

_PAGES = ", ".join(f"'{name}'" for name in in_page_channels())
_CARRIED_AS = f"CASE WHEN open.channel IN ({_PAGES}) THEN '{IN_PAGE}' ELSE open.channel END"

# The recursion steps over the index from one channel to the next.
_DUE = f"""
SELECT w.id, w.name, w.clock, w.zone, w.currency, w.consent, t.now,
    CASE open.channel WHEN 'webhook' THEN 'webhook:' || carrier.name ELSE open.channel END AS lane,
    urgency.is_urgent, carrier.name, carrier.body
FROM workspace w
CROSS JOIN LATERAL (SELECT {NOW} AS now) t
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
     AND d.body ->> 'channel' = {_CARRIED_AS}
     AND open.channel <> 'webhook' ORDER BY introduced DESC LIMIT 1)
    UNION ALL
    (SELECT name, body FROM definition d WHERE d.workspace = w.id AND d.kind = 'provider' AND d.retired IS NULL
     AND d.body ->> 'channel' = 'webhook' AND open.channel = 'webhook')
) carrier ON true
JOIN (VALUES (true), (false)) urgency (is_urgent) ON NOT urgency.is_urgent OR open.channel <> 'webhook'
WHERE (open.channel <> 'webhook' AND EXISTS (
    SELECT FROM message m WHERE m.workspace = w.id AND m.channel = open.channel
    AND m.transactional = urgency.is_urgent AND m.state = 'planned' AND {_OPEN} AND m.due_at <= t.now)
OR open.channel = 'webhook' AND EXISTS (
    SELECT FROM message m WHERE m.workspace = w.id AND m.channel = 'webhook' AND m.provider = carrier.name
    AND m.state = 'planned' AND {_OPEN} AND m.due_at <= t.now))
AND {_UNLOCKED} ORDER BY w.id, is_urgent DESC, lane
"""  # noqa: S608  # our own texts


class Due(NamedTuple):
    """A lane of a workspace with a message due by the workspace's own clock, and who carries it. It is a channel,
    with whether its transactional messages are due or its others; each web hook has one of its own for both, for there
    every message names its carrier."""

    workspace: Workspace
    now: int
    channel: str
    is_urgent: bool
    carrier: dict[str, Any] | None  # the provider that was set last; None: the built-in outbox


def connected(url: str) -> Connection[Any]:
    """Every statement of ours finds a few rows by key; a young table must not make reading all of it seem cheaper."""
    connection = connect(url, name="kizuna send", autocommit=True)
    for way in ("seqscan", "hashjoin", "mergejoin"):
        connection.execute(f"SET enable_{way} = off".encode())
    return connection


def due(cursor: Any) -> list[Due]:
    cursor.execute(_DUE)
    found = ((Workspace(*row[:6]), *row[6:]) for row in cursor.fetchall())
    return [
        Due(workspace, now, channel, is_urgent, {**body, "name": name} if body is not None else None)
        for workspace, now, channel, is_urgent, name, body in found
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
NOT_PAUSED = (
    f"(m.campaign IS NULL OR m.reason IS NOT NULL OR m.campaign <> ALL({_PAUSED.format('campaign')}))"
    f" AND (m.journey IS NULL OR m.journey <> ALL({_PAUSED.format('journey')}))"
    f" AND (m.transactional OR m.channel <> ALL({_PAUSED.format('sending')}))"
)

_CLAIM_OF = """
SELECT {columns} FROM message m
WHERE m.workspace = %(workspace)s AND {lane} AND {waits} AND {allowed}
ORDER BY m.due_at LIMIT %(limit)s FOR UPDATE{locks}
"""  # our own column names


ALLOWED = f"{NOT_PAUSED} AND {_UNLOCKED}"
_DUE_NOW = f"m.state = 'planned' AND {_OPEN} AND m.due_at <= %(now)s AND {_WAITED}"


def claim_of(lane: str, waits: str, allowed: str, locks: str = "") -> str:
    """The statement that locks messages to be claimed; what it answers is for `read_claims`."""
    return _CLAIM_OF.format(columns=_CLAIMED, lane=lane, waits=waits, allowed=allowed, locks=locks)


def _claim_of(lane: str) -> str:
    return claim_of(lane, _DUE_NOW, ALLOWED, " SKIP LOCKED")


_CLAIM = {
    True: _claim_of("m.channel = %(channel)s AND m.transactional"),
    False: _claim_of("m.channel = %(channel)s AND NOT m.transactional"),
}
_CLAIM_HOOK = _claim_of("m.channel = 'webhook' AND m.provider = %(provider)s")

# One statement is one moment: the fold removes a veto in the transaction that writes the record, so that one of the
# two is always seen. It comes after the locks: an opt-out that it does not see was committed later, and then finds the
# locks and waits for what was claimed here (`consent.outlast`).
_PEOPLE_OF = """
SELECT asked.id, p.merged_into, p.traits, p.profiles, p.consent,
    (SELECT array_agg(ARRAY[v.channel, v.topic]) FROM veto v WHERE v.workspace = asked.workspace
     AND v.profile = asked.id)
FROM unnest(%b::bytea[], %b::integer[]) AS asked (id, workspace)
LEFT JOIN profile p ON p.workspace = asked.workspace AND p.id = asked.id
"""


class Claim(NamedTuple):
    """A locked message with the record it was planned for and the opt-outs of it that are not yet folded."""

    message: Claimed
    person: PersonRow | None
    vetoes: list[list[str]]  # [channel, topic]


def claim(cursor: Any, workspace: int, lane: str, now: int, limit: int, *, is_urgent: bool = False) -> list[Claim]:
    """Lock due messages of a lane, longest due first; others' locks and what is paused are passed by. A locked copy
    has none. Of a channel either the transactional ones or all others; of a web hook all."""
    channel, _, hook = lane.partition(":")
    asked = {"workspace": workspace, "now": now, "limit": limit}
    cursor.execute(
        _CLAIM_HOOK if hook else _CLAIM[is_urgent], asked | ({"provider": hook} if hook else {"channel": channel})
    )
    return read_claims(cursor, workspace)


def read_claims(cursor: Any, workspace: int) -> list[Claim]:
    """The messages that were locked just now, with what is looked at after that."""
    messages = [Claimed(*row) for row in cursor.fetchall()]
    if not messages:
        return []
    profiles = list({message.profile for message in messages})
    cursor.execute(_PEOPLE_OF, [profiles, [workspace] * len(profiles)])
    people = {row[0]: (row[1:-1] if row[2] is not None else None, row[-1] or []) for row in cursor.fetchall()}
    return [Claim(message, *people[message.profile]) for message in messages]


def open_when_locked(cursor: Any, limit: int) -> list[Claimed]:
    """Marketing messages due in a locked copy: the original may have sent them since the backup. Locked rows."""
    cursor.execute(
        f"SELECT {_CLAIMED} FROM message m WHERE m.state = 'planned' AND {_OPEN} AND NOT m.transactional"  # noqa: S608
        f" AND m.due_at <= (SELECT {NOW} FROM workspace w WHERE w.id = m.workspace)"
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
    """(kind, name, body) of the policy, the topics and the promotions that rule now."""
    cursor.execute(
        "SELECT kind, name, body FROM definition WHERE workspace = %s AND kind IN ('policy', 'topic', 'promotion')"
        " AND retired IS NULL",
        [workspace],
    )
    return cursor.fetchall()


def finish(cursor: Any, workspace: int, endings: list[Ending]) -> list[bytes]:
    """Write what became of claimed messages; one whose fence moved on is no longer ours and is left out. One that is
    handed back and was to be ended meanwhile is due, to be ended. A report that came before the provider's answer says
    more than it and stands."""
    endings = sorted(endings, key=lambda ending: ending.id)  # in which order all who end messages lock them
    cursor.execute(
        "UPDATE message m SET state = CASE WHEN m.state = ANY(%b::text[]) THEN m.state ELSE new.state END,"
        " provider = coalesce(new.provider, m.provider),"
        " reason = CASE WHEN new.state = 'planned' OR m.state = ANY(%b::text[]) THEN m.reason ELSE new.reason END,"
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
            list(REPORTED),
            list(REPORTED),
            [e.id for e in endings],
            [e.fence for e in endings],
            [e.state for e in endings],
            [e.reason for e in endings],
            [e.provider for e in endings],
            [e.address for e in endings],
            [e.due_at for e in endings],
            [e.attempt for e in endings],
            [e.trouble for e in endings],
            [written_history(e.history) for e in endings],
            [workspace] * len(endings),
        ],
    )
    return [row[0] for row in cursor.fetchall()]


_SAY = """
UPDATE message m SET {sets}, attempts = m.attempts + 1, address = new.address, subject = new.subject, body = new.body,
    links = new.links::jsonb, unsubscribe = new.unsubscribe, consent = new.consent, proof = new.proof,
    history = m.history || ARRAY[{history}]
FROM unnest(%(ids)b::bytea[], %(addresses)b::text[], %(subjects)b::text[], %(bodies)b::text[], %(unsubscribes)b::text[],
            %(links)b::text[], %(recipients)b::bytea[], %(consents)b::text[], %(proofs)b::bytea[],
            %(workspaces)b::integer[])
     AS new (id, address, subject, body, unsubscribe, links, recipient, consent, proof, workspace)
WHERE m.workspace = new.workspace AND m.id = new.id
"""


_AT = "coalesce(%(at)s::bigint, m.due_at)"


def say(sets: str, states: Iterable[str]) -> str:
    return _SAY.format(sets=sets, history=", ".join(f"{_AT} << {NUMBER_BITS} | {NUMBER[state]}" for state in states))


_TO_OUTBOX = say(
    f"state = 'sent', reason = NULL, provider = 'outbox', lease_until = NULL, outbox = nextval('outbox_number'),"
    f" outbox_at = {_AT}, recipient = new.recipient",
    ("claimed", "handed", "sent"),
)
_TO_NETWORK = say(
    f"state = 'handed', fence = m.fence + 1, provider = %(provider)s, lease_until = {_REAL_NOW} + %(lease)s::bigint",
    ("claimed", "handed"),
)


def put_in_outbox(cursor: Any, workspace: int, said: list[Said], at: int | None) -> None:
    """The built-in sink takes messages that this transaction claimed; `at` None: each at the instant it was due."""
    cursor.execute(_TO_OUTBOX, {"at": at, **columns(workspace, said)})


def hand(
    cursor: Any, workspace: int, said: list[Said], provider: str, at: int | None, lease_seconds: float | None
) -> None:
    """Write down that the network is about to be touched for messages that this transaction claimed; without a lease
    people have them, and no crash makes them uncertain."""
    lease = None if lease_seconds is None else int(lease_seconds * 1_000_000)
    values = {"at": at, "provider": provider, "lease": lease, **columns(workspace, said)}
    cursor.execute(_TO_NETWORK, values)


def columns(workspace: int, said: list[Said]) -> dict[str, list[Any] | None]:
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
        "consents": [each.consent for each in said],
        "proofs": [each.proof for each in said],
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


def as_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def now(cursor: Any, workspace: int) -> int:
    """What time it is in a workspace."""
    cursor.execute(f"SELECT {NOW} FROM workspace w WHERE id = %s", [workspace])  # noqa: S608
    return cursor.fetchone()[0]

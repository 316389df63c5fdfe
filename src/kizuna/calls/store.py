"""SQL of calls: the list, who has which entry, and what came of it."""
# ruff: noqa: S608  (SQL is put together from this file's own text; values are parameters)

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec import Struct

from kizuna.calls.rule import DONE, OPEN, TAKEN, Next
from kizuna.messages import sql_sending

CHANNEL = "call"
_ON_LIST = "m.channel = 'call' AND m.lease_until IS NULL AND (m.state = 'handed' OR c.message IS NOT NULL)"
_PRIORITY = "CASE WHEN m.data ->> 'priority' ~ '^[0-9]{1,6}$' THEN (m.data ->> 'priority')::integer ELSE 0 END"
_LIST = "coalesce(m.journey, m.campaign, '')"
# the same in all readings: an entry nobody took yet has no row
_STATE = (
    "CASE WHEN c.message IS NULL THEN 'open'"
    " WHEN c.state = 'taken' AND c.taken_until <= %(now)s AND m.transactional THEN 'open' ELSE c.state END"
)
_ENTRY = (
    f"m.id, m.profile, {_STATE} AS stands, m.state, {_LIST} AS list, {_PRIORITY} AS priority, m.address, m.subject,"
    " m.body, m.expires_at, m.transactional, m.provider, coalesce(c.tries, 0),"
    " coalesce(c.next_at, m.due_at) AS next_at, c.taken_by,"
    " c.taken_until, c.outcome, c.note, c.finished_at, m.journey, m.run, m.step, m.campaign, m.variant,"
    " m.topic, m.template, p.traits, m.planned_at FROM message m"
    " LEFT JOIN call c ON c.workspace = m.workspace AND c.message = m.id"
    " LEFT JOIN profile p ON p.workspace = m.workspace AND p.id = m.profile"
)


class Entry(Struct, frozen=True):
    """A line of the list; fields in the order of the SELECT."""

    message: bytes
    profile: bytes
    state: str
    message_state: str
    list: str
    priority: int
    phone: str
    subject: str | None
    script: str
    expires_at: int
    transactional: bool
    provider: str
    tries: int
    next_at: int
    taken_by: str | None
    taken_until: int | None
    outcome: str | None
    note: str | None
    finished_at: int | None
    journey: str | None
    run: str | None
    step: str | None
    campaign: str | None
    variant: str | None
    topic: str | None
    template: str | None
    traits: dict[str, Any] | None
    planned_at: int

    def about(self) -> dict[str, str]:
        """What events say of the message they are about."""
        names = ("journey", "run", "step", "campaign", "variant", "topic", "template")
        return {name: value for name in names if (value := getattr(self, name))}


class Place(NamedTuple):
    """Where an entry stands in its list: the most pressing first."""

    priority: int
    next_at: int
    message: bytes


TOP = Place(10**6, 0, b"")  # before all: no priority has seven digits


def listed(
    cursor: Any,
    workspace: int,
    state: str,
    list_: str | None,
    now: int,
    limit: int,
    after: Place = TOP,
    by: str | None = None,
) -> list[Entry]:
    """Entries in a state that stand `after` a place, the most pressing first; open ones only where their time has
    come. `by`: those that this one took."""
    cursor.execute(
        f"SELECT * FROM (SELECT {_ENTRY} WHERE m.workspace = %(workspace)s AND {_ON_LIST} AND {sql_sending.ALLOWED})"
        " AS entry WHERE stands = %(state)s AND (%(list)s::text IS NULL OR list = %(list)s)"
        " AND (%(by)s::text IS NULL OR taken_by = %(by)s)"
        " AND (stands <> 'open' OR next_at <= %(now)s AND expires_at >= %(now)s)"
        " AND (-priority, next_at, id) > (%(ahead)s, %(next_at)s, %(message)s)"
        " ORDER BY -priority, next_at, id LIMIT %(limit)s",
        {
            "workspace": workspace, "state": state, "list": list_, "now": now, "limit": limit, "by": by,
            "ahead": -after.priority, "next_at": after.next_at, "message": after.message,
        },
    )  # fmt: skip
    return [Entry(*row) for row in cursor.fetchall()]


class Tally(Struct, frozen=True):
    """How a list stands; fields in the order of the SELECT."""

    list: str  # the journey or campaign; empty: calls that were asked for one by one
    open: int  # whose time has come
    later: int  # put off
    next_at: int | None  # when the first of these is due
    taken: int  # whose taker still has time
    done: int


def tallies(cursor: Any, workspace: int, now: int) -> list[Tally]:
    """Every list that has had a call, by name."""
    cursor.execute(
        "SELECT list, count(*) FILTER (WHERE is_open AND next_at <= %(now)s),"
        " count(*) FILTER (WHERE is_open AND next_at > %(now)s),"
        " min(next_at) FILTER (WHERE is_open AND next_at > %(now)s),"
        " count(*) FILTER (WHERE stands = 'taken' AND taken_until > %(now)s), count(*) FILTER (WHERE stands = 'done')"
        " FROM (SELECT *, stands = 'open' AND expires_at >= %(now)s AS is_open"
        f" FROM (SELECT {_ENTRY} WHERE m.workspace = %(workspace)s AND {_ON_LIST} AND {sql_sending.ALLOWED}) AS all_of)"
        " AS entry GROUP BY list ORDER BY list",
        {"workspace": workspace, "now": now},
    )
    return [Tally(*row) for row in cursor.fetchall()]


def one(cursor: Any, workspace: int, message: bytes, now: int) -> Entry | None:
    cursor.execute(
        f"SELECT {_ENTRY} WHERE m.workspace = %(workspace)s AND m.id = %(message)s AND {_ON_LIST}",
        {"workspace": workspace, "message": message, "now": now},
    )
    row = cursor.fetchone()
    return Entry(*row) if row else None


_CLAIM = sql_sending.claim_of(
    "m.id = %(message)s AND m.channel = 'call'",
    "m.lease_until IS NULL AND m.state NOT IN ('planned', 'claimed', 'skipped', 'rejected', 'expired', 'unknown')",
    sql_sending.ALLOWED,
)


_EXPIRED = sql_sending.claim_of(
    "m.channel = 'call' AND m.expires_at < %(now)s",
    "m.state = 'handed' AND m.lease_until IS NULL",
    sql_sending.ALLOWED,
    " SKIP LOCKED",
)


def expired(cursor: Any, workspace: int, now: int, limit: int) -> list[sql_sending.Claim]:
    """Those that nobody took in time; locked."""
    cursor.execute(_EXPIRED, {"workspace": workspace, "now": now, "limit": limit})
    return sql_sending.read_claims(cursor, workspace)


def claim(cursor: Any, workspace: int, message: bytes) -> sql_sending.Claim | None:
    """Locked: who else would take it waits."""
    cursor.execute(_CLAIM, {"workspace": workspace, "message": message, "limit": 1})
    found = sql_sending.read_claims(cursor, workspace)
    return found[0] if found else None


def take(cursor: Any, workspace: int, message: bytes, who: str, until: int) -> None:
    cursor.execute(
        "INSERT INTO call (workspace, message, state, tries, next_at, taken_by, taken_until)"
        " VALUES (%(workspace)s, %(message)s, %(taken)s, 1, 0, %(who)s, %(until)s)"
        " ON CONFLICT (workspace, message) DO UPDATE SET state = %(taken)s, tries = call.tries + 1,"
        " taken_by = %(who)s, taken_until = %(until)s",
        {"workspace": workspace, "message": message, "taken": TAKEN, "who": who, "until": until},
    )


def withdraw(cursor: Any, workspace: int, message: bytes, state: str, reason: str | None) -> None:
    """An entry that was called before and may not be again."""
    cursor.execute(
        "UPDATE call SET state = %s, note = coalesce(%s, note), taken_by = NULL, taken_until = NULL"
        " WHERE workspace = %s AND message = %s",
        [state, reason, workspace, message],
    )


def put_off(cursor: Any, workspace: int, message: bytes, until: int) -> None:
    """It is night where they live."""
    cursor.execute(
        "INSERT INTO call (workspace, message, state, tries, next_at) VALUES (%s, %s, %s, 0, %s)"
        " ON CONFLICT (workspace, message) DO UPDATE SET state = excluded.state, next_at = excluded.next_at",
        [workspace, message, OPEN, until],
    )


def conclude(cursor: Any, workspace: int, message: bytes, then: Next, outcome: str, note: str, now: int) -> None:
    cursor.execute(
        "UPDATE call SET state = %s, tries = %s, next_at = %s, outcome = %s, note = %s, finished_at = %s,"
        " taken_until = NULL WHERE workspace = %s AND message = %s",
        [
            then.state, then.tries, then.next_at, outcome, note, now if then.state == DONE else None, workspace,
            message,
        ],
    )  # fmt: skip

"""All SQL of campaigns: what is published, who is to be reached, what became of the messages, what harm was done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection, Connection

from kizuna.campaigns.section import Converted
from kizuna.engine.slice import Workspace
from kizuna.messages.message import ENGAGED, NUMBER


class Current(Struct, frozen=True):
    """What rules under a campaign's name."""

    version: int
    status: str  # ready, paused, cancelled
    body: dict[str, Any]
    published_at: int
    program: int  # that introduced it


async def current(conn: AsyncConnection[Any], workspace: int, name: str) -> Current | None:
    found = await conn.execute(
        """SELECT version, status, body, published_at, introduced FROM definition
           WHERE workspace = %s AND kind = 'campaign' AND name = %s AND retired IS NULL""",
        [workspace, name],
    )
    row = await found.fetchone()
    return Current(*row) if row else None


async def listed(conn: AsyncConnection[Any], workspace: int, after: str, limit: int) -> list[tuple[str, Current]]:
    found = await conn.execute(
        """SELECT name, version, status, body, published_at, introduced FROM definition
           WHERE workspace = %s AND kind = 'campaign' AND retired IS NULL AND name > %s ORDER BY name LIMIT %s""",
        [workspace, after, limit],
    )
    return [(name, Current(*rest)) for name, *rest in await found.fetchall()]


async def segment_exists(conn: AsyncConnection[Any], workspace: int, segment: str) -> bool:
    found = await conn.execute(
        """SELECT FROM definition WHERE workspace = %s AND kind = 'segment' AND name = %s AND retired IS NULL""",
        [workspace, segment],
    )
    return await found.fetchone() is not None


# launches ------------------------------------------------------------------------------------------------------------

SCHEDULED, GATHERING, HANDING, HANDED = "scheduled", "gathering", "handing", "handed"
CANCELLING, CANCELLED = "cancelling", "cancelled"


class Launch(Struct, frozen=True):
    """One launch; `members` and `handed` count profiles, instants are microseconds."""

    workspace: int
    id: bytes
    campaign: str
    version: int
    state: str
    asked_at: int
    due_at: int
    as_of: int
    position: int
    members: int
    handed: int
    handed_to: bytes


_LAUNCH = "workspace, id, campaign, version, state, asked_at, due_at, as_of, position, members, handed, handed_to"


async def begin_launch(conn: AsyncConnection[Any], new: Launch) -> Launch | None:
    """None for a new launch; else the one that was made before. Waits for one under way."""
    values = [getattr(new, name) for name in new.__struct_fields__]
    begun = await conn.execute(
        f"INSERT INTO launch ({_LAUNCH}) VALUES ({', '.join(['%s'] * len(values))}) ON CONFLICT DO NOTHING",  # type: ignore[arg-type]  # noqa: S608
        values,
    )
    return None if begun.rowcount else await launch(conn, new.workspace, new.id)


async def launch(conn: AsyncConnection[Any], workspace: int, name: bytes) -> Launch | None:
    found = await conn.execute(f"SELECT {_LAUNCH} FROM launch WHERE workspace = %s AND id = %s", [workspace, name])  # type: ignore[arg-type]  # noqa: S608
    row = await found.fetchone()
    return Launch(*row) if row else None


async def launches(conn: AsyncConnection[Any], workspace: int, campaign: str) -> list[Launch]:
    """Oldest first."""
    found = await conn.execute(
        f"SELECT {_LAUNCH} FROM launch WHERE workspace = %s AND campaign = %s ORDER BY asked_at, position",  # type: ignore[arg-type]  # noqa: S608
        [workspace, campaign],
    )
    return [Launch(*row) for row in await found.fetchall()]


# The copy of who is to be reached: from here on it does not matter who comes or goes.
OF_SEGMENT = """
INSERT INTO launch_member (workspace, launch, profile)
SELECT workspace, %(launch)s, profile FROM membership WHERE workspace = %(workspace)s AND segment = %(segment)s
"""
OF_RULE = """
INSERT INTO launch_member (workspace, launch, profile)
SELECT %(workspace)s, %(launch)s, profile FROM unnest(%(profiles)b::bytea[]) AS found (profile)
"""
GATHERED = """
UPDATE launch SET state = 'handing', members = %(members)s WHERE workspace = %(workspace)s AND id = %(launch)s
"""
ZONES = "SELECT DISTINCT zone FROM profiles WHERE zone IS NOT NULL"  # asked of the lake


def gather(
    workspace: int, launched: bytes, segment: str | None, profiles: Sequence[bytes]
) -> tuple[Any, dict[str, Any]]:
    """The statement that copies the members of a segment, or those for whom a rule holds."""
    said: dict[str, Any] = {"workspace": workspace, "launch": launched}
    return (
        (OF_RULE, said | {"profiles": list(profiles)}) if segment is None else (OF_SEGMENT, said | {"segment": segment})
    )


async def abort_all(conn: AsyncConnection[Any], workspace: int, campaign: str, at: int) -> list[bytes]:
    """Lock its launches that are not cancelled yet, and mark what is planned and unclaimed to be ended; the launches.
    Before a publish: whoever else locks launches or messages locks the heads of the log after them."""
    found = await conn.execute(
        """SELECT id FROM launch WHERE workspace = %s AND campaign = %s AND state NOT IN ('cancelling', 'cancelled')
           ORDER BY id FOR UPDATE""",
        [workspace, campaign],
    )
    ids = [bytes(row[0]) for row in await found.fetchall()]
    await conn.execute(ABORT, {"workspace": workspace, "campaign": campaign, "at": at})
    await conn.execute("NOTIFY kizuna_send")
    return ids


async def cancel(conn: AsyncConnection[Any], workspace: int, launches: Sequence[bytes], position: int) -> None:
    """No more is handed out; once all is folded up to `position`, what was planned meanwhile is ended too."""
    await conn.execute(
        "UPDATE launch SET state = 'cancelling', as_of = %s WHERE workspace = %s AND id = ANY(%s::bytea[])",
        [position, workspace, list(launches)],
    )


# Messages are locked in the order of ids, as the sender does that ends them: else the two would wait in a ring.
ABORT = """
WITH open AS MATERIALIZED (
    SELECT id FROM message WHERE workspace = %(workspace)s AND campaign = %(campaign)s
    AND state IN ('planned', 'handed') AND reason IS NULL ORDER BY id FOR UPDATE
)
UPDATE message m SET reason = 'aborted', due_at = least(due_at, %(at)s)
FROM open WHERE m.workspace = %(workspace)s AND m.id = open.id
"""  # what is at a provider too: handed back, it is not tried again


# handing out (on a sync connection) ----------------------------------------------------------------------------------

_NOW = "CASE w.clock WHEN 'test' THEN w.now ELSE (extract(epoch FROM clock_timestamp()) * 1000000)::bigint END"


def open_launches(connection: Connection[Any]) -> list[tuple[Launch, int]]:
    """Those under way of campaigns that are not paused, oldest first, with the time of their workspace; scheduled ones
    too."""
    found = connection.execute(
        f"""SELECT {", ".join(f"l.{name}" for name in _LAUNCH.split(", "))}, {_NOW}
            FROM launch l JOIN workspace w ON w.id = l.workspace
            WHERE l.state IN ('scheduled', 'gathering', 'handing', 'cancelling')
            AND (l.state = 'cancelling' OR NOT EXISTS (
                SELECT FROM definition d WHERE d.workspace = l.workspace AND d.kind = 'campaign'
                AND d.name = l.campaign AND d.retired IS NULL AND d.status = 'paused'))
            ORDER BY l.workspace, l.position"""  # type: ignore[arg-type]  # noqa: S608
    ).fetchall()
    return [(Launch(*row[:-1]), row[-1]) for row in found]


def lock(connection: Connection[Any], seen: Launch) -> bool:
    """Whether the launch is still as it was seen; locked until the transaction ends."""
    found = connection.execute(
        """SELECT FROM launch WHERE workspace = %s AND id = %s AND state = %s AND handed = %s
           FOR UPDATE SKIP LOCKED""",
        [seen.workspace, seen.id, seen.state, seen.handed],
    )
    return found.fetchone() is not None


def begin_gathering(connection: Connection[Any], due: Launch) -> None:
    """Its time has come: all that was accepted until now is folded first."""
    connection.execute(
        """UPDATE launch SET state = 'gathering', as_of = (SELECT last_value FROM position)
           WHERE workspace = %s AND id = %s""",
        [due.workspace, due.id],
    )


def is_folded(connection: Connection[Any], workspace: int, position: int) -> bool:
    """Whether all that was said up to a position is folded, and history asked for until then is filled in."""
    row = connection.execute(
        """SELECT NOT EXISTS (
               SELECT FROM log_head h CROSS JOIN LATERAL (
                   SELECT FROM log l WHERE l.workspace = h.workspace AND l.partition = h.partition
                   AND l."offset" > h.applied AND l.kind <> 1 AND l.root <= %(position)s LIMIT 1
               ) open WHERE h.workspace = %(workspace)s AND h."offset" > h.applied)
           AND NOT EXISTS (
               SELECT FROM fill WHERE workspace = %(workspace)s AND state = 'waiting' AND root <= %(position)s)""",
        {"workspace": workspace, "position": position},
    ).fetchone()
    return bool(row and row[0])


def body_of(connection: Connection[Any], workspace: int, campaign: str, version: int) -> dict[str, Any]:
    row = connection.execute(
        """SELECT body FROM definition WHERE workspace = %s AND kind = 'campaign' AND name = %s AND version = %s
           LIMIT 1""",
        [workspace, campaign, version],
    ).fetchone()
    assert row  # noqa: S101  # versions stay
    return row[0]


def next_members(connection: Connection[Any], launched: Launch, limit: int) -> list[bytes]:
    """The next members to be reached, in the order of ids."""
    found = connection.execute(
        """SELECT profile FROM launch_member WHERE workspace = %s AND launch = %s AND profile > %s
           ORDER BY profile LIMIT %s""",
        [launched.workspace, launched.id, launched.handed_to, limit],
    )
    return [bytes(row[0]) for row in found.fetchall()]


def note_handed(connection: Connection[Any], launched: Launch, members: Sequence[bytes]) -> None:
    connection.execute(
        "UPDATE launch SET handed = handed + %s, handed_to = %s WHERE workspace = %s AND id = %s",
        [len(members), members[-1], launched.workspace, launched.id],
    )


def end(connection: Connection[Any], launched: Launch, state: str) -> None:
    connection.execute(
        "UPDATE launch SET state = %s WHERE workspace = %s AND id = %s", [state, launched.workspace, launched.id]
    )
    connection.execute(
        "DELETE FROM launch_member WHERE workspace = %s AND launch = %s", [launched.workspace, launched.id]
    )


def abort(connection: Connection[Any], cancelled: Launch, at: int) -> None:
    """What was still being folded when the campaign was cancelled."""
    connection.execute(ABORT, {"workspace": cancelled.workspace, "campaign": cancelled.campaign, "at": at})
    connection.execute("NOTIFY kizuna_send")


def items_behind(connection: Connection[Any], workspace: int) -> int:
    """Items accepted and not yet folded."""
    row = connection.execute(
        """SELECT coalesce(sum(l.items), 0)::bigint FROM log_head h JOIN log l
           ON l.workspace = h.workspace AND l.partition = h.partition AND l."offset" > h.applied AND l.kind = 0
           WHERE h.workspace = %s AND h."offset" > h.applied""",
        [workspace],
    ).fetchone()
    return row[0] if row else 0


# what came of it -----------------------------------------------------------------------------------------------------


def convert(cursor: Any, workspace: int, effects: list[Converted]) -> None:
    """Goals met: the first of each message counts."""
    cursor.execute(
        """INSERT INTO conversion (workspace, message, campaign, at, value)
           SELECT %s, message, campaign, at, value::numeric
           FROM unnest(%b::bytea[], %b::text[], %b::bigint[], %b::text[]) AS new (message, campaign, at, value)
           ON CONFLICT DO NOTHING""",
        [workspace, *([getattr(e, name) for e in effects] for name in ("message", "campaign", "at", "value"))],
    )


async def outcome(
    conn: AsyncConnection[Any], workspace: int, name: str
) -> list[tuple[str, str | None, str | None, int]]:
    """(state, reason, variant, count) of a campaign's messages."""
    found = await conn.execute(
        """SELECT state, reason, variant, count(*) FROM message WHERE workspace = %s AND campaign = %s
           GROUP BY state, reason, variant ORDER BY state, reason, variant""",
        [workspace, name],
    )
    return await found.fetchall()


async def reached(conn: AsyncConnection[Any], workspace: int, name: str) -> dict[str, int]:
    """How many messages ever were in each state, whatever came after. `opened` and `clicked` are of people and of those
    of whom nobody can say; of people alone they are `human_opened` and `human_clicked`."""
    found = await conn.execute(
        """SELECT said.number, count(DISTINCT id) FROM message, unnest(history) entry,
               LATERAL (VALUES (entry & 31),
                   (CASE entry & 31 WHEN %(human_o)s THEN -%(human_o)s WHEN %(unsure_o)s THEN -%(human_o)s
                    WHEN %(human_c)s THEN -%(human_c)s WHEN %(unsure_c)s THEN -%(human_c)s END)) said (number)
           WHERE workspace = %(workspace)s AND campaign = %(campaign)s AND said.number IS NOT NULL GROUP BY 1""",
        {
            "workspace": workspace, "campaign": name,
            "human_o": NUMBER["opened"], "unsure_o": NUMBER["unsure_opened"],
            "human_c": NUMBER["clicked"], "unsure_c": NUMBER["unsure_clicked"],
        },
    )  # fmt: skip
    counts: dict[int, int] = dict(await found.fetchall())
    told = {state: counts.get(number, 0) for state, number in NUMBER.items()}
    people = {f"human_{state}": told[state] for state in ENGAGED}
    return told | people | {state: counts.get(-NUMBER[state], 0) for state in ENGAGED}


async def decided(conn: AsyncConnection[Any], workspace: int, name: str) -> int:
    """Members about whom the fold has decided."""
    found = await conn.execute(
        "SELECT coalesce(sum(value), 0)::bigint FROM counter WHERE workspace = %s AND name = %s",
        [workspace, f"campaign:{name}:decided"],
    )
    row = await found.fetchone()
    return row[0] if row else 0


async def converted(
    conn: AsyncConnection[Any], workspace: int, name: str
) -> list[tuple[str | None, bool, int, int, Any]]:
    """(variant, held out, exposed, converted, value): of those to whom it was said or, but for the lot, would be."""
    found = await conn.execute(
        """SELECT m.variant, coalesce(m.reason, '') = 'holdout', count(*), count(c.message), coalesce(sum(c.value), 0)
           FROM message m LEFT JOIN conversion c ON c.workspace = m.workspace AND c.message = m.id
           WHERE m.workspace = %s AND m.campaign = %s
           AND (m.reason = 'holdout' OR m.history[1] & 31 = 0) GROUP BY 1, 2 ORDER BY 1, 2""",
        [workspace, name],
    )
    return await found.fetchall()


# harm ----------------------------------------------------------------------------------------------------------------


async def judge_all(conn: AsyncConnection[Any]) -> list[tuple[int, str, str | None, str | None]]:
    """(workspace, channel, campaign, journey) that complaints and bounces not yet looked at are about; from the commit
    on they count as looked at."""
    found = await conn.execute(
        """WITH judged AS (
               UPDATE harm SET is_judged = true WHERE NOT is_judged RETURNING workspace, message
           )
           SELECT DISTINCT m.workspace, m.channel, m.campaign, m.journey FROM judged j
           JOIN message m ON m.workspace = j.workspace AND m.id = j.message WHERE NOT m.transactional ORDER BY 1, 2"""
    )
    return await found.fetchall()


async def workspace(conn: AsyncConnection[Any], number: int) -> Workspace:
    found = await conn.execute(
        """SELECT w.id, w.name, w.clock, w.zone, w.currency, w.consent, i.partitions
           FROM workspace w, installation i WHERE w.id = %s""",
        [number],
    )
    row = await found.fetchone()
    assert row  # noqa: S101
    return Workspace(*row)


async def ruling(
    conn: AsyncConnection[Any], workspace: int, kind: str, name: str
) -> tuple[str, dict[str, Any], int, int] | None:
    """(status, body, published_at, program) of a definition of any kind."""
    found = await conn.execute(
        """SELECT status, body, published_at, introduced FROM definition
           WHERE workspace = %s AND kind = %s AND name = %s AND retired IS NULL""",
        [workspace, kind, name],
    )
    return await found.fetchone()


async def harm_of(
    conn: AsyncConnection[Any], workspace: int, since: int, channel: str, campaign: str | None, journey: str | None
) -> tuple[int, int, int, int, int]:
    """(delivered, tried, complaints, hard bounces, refusals of us) of messages since then: of a campaign, a
    journey, or (None, None) of all that is not transactional. What was sent and did not bounce counts as delivered."""
    found = await conn.execute(
        """WITH said AS (
               SELECT m.id, m.state FROM message m WHERE m.workspace = %(workspace)s AND m.channel = %(channel)s
               AND m.due_at > %(since)s AND m.planned_at > %(since)s - 691200000000 AND NOT m.transactional
               AND (%(campaign)s::text IS NULL OR m.campaign = %(campaign)s)
               AND (%(journey)s::text IS NULL OR m.journey = %(journey)s)
           ), done AS (
               SELECT h.what FROM harm h JOIN said ON said.id = h.message
               WHERE h.workspace = %(workspace)s AND h.at > %(since)s
           )
           SELECT (SELECT count(*) FROM said WHERE state IN
                       ('sent', 'delivered', 'opened', 'clicked', 'unsubscribed', 'complained')),
                  (SELECT count(*) FROM said
                   WHERE state NOT IN ('planned', 'claimed', 'handed', 'skipped', 'expired', 'unknown')),
                  (SELECT count(*) FROM done WHERE what = 'complaint'),
                  (SELECT count(*) FROM done WHERE what = 'hard_bounce'),
                  (SELECT count(*) FROM done WHERE what = 'refused_sender')""",
        {"workspace": workspace, "since": since, "channel": channel, "campaign": campaign, "journey": journey},
    )
    row = await found.fetchone()
    assert row  # noqa: S101
    return row


def is_harm_unjudged(connection: Connection[Any]) -> bool:
    row = connection.execute("SELECT EXISTS (SELECT FROM harm WHERE NOT is_judged)").fetchone()
    return bool(row and row[0])

"""All SQL of alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection

from kizuna.alarms.alarm import INSTALLATION, Alarm, Place

_COLUMNS = "id, workspace, rule, subject, message, raised_at, resolved_at, resolved_by, cleared_at"
_NAMES = _COLUMNS.split(", ")
LOCK = 0x6B697A77617463  # one that watches an installation


def _alarm(row: tuple[Any, ...]) -> Alarm:
    return Alarm(**dict(zip(_NAMES, row, strict=True)))


# what the watch writes (on a sync cursor) ----------------------------------------------------------------------------


def watch_alone(cursor: Any) -> None:
    """Wait until nobody else watches; held as long as the connection lives."""
    cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])


def standing(cursor: Any) -> set[Place]:
    cursor.execute("SELECT workspace, rule, subject FROM raised_alarm WHERE cleared_at IS NULL")
    return {Place(*row) for row in cursor.fetchall()}


def raise_alarms(cursor: Any, alarms: Mapping[Place, str]) -> int:
    """Raise what does not stand already; guards call it in the transaction in which they act."""
    cursor.execute(
        """INSERT INTO raised_alarm (workspace, rule, subject, message, raised_at)
           SELECT workspace, rule, subject, message, real_now()
           FROM unnest(%s::integer[], %s::text[], %s::text[], %s::text[]) AS new (workspace, rule, subject, message)
           WHERE workspace = 0 OR EXISTS (SELECT FROM workspace w WHERE w.id = new.workspace)
           ON CONFLICT (workspace, rule, subject) WHERE cleared_at IS NULL DO NOTHING""",
        [
            [place.workspace for place in alarms],
            [place.rule for place in alarms],
            [place.subject for place in alarms],
            list(alarms.values()),
        ],
    )
    return cursor.rowcount


def clear(cursor: Any, places: Sequence[Place]) -> None:
    """Their rules hold again."""
    cursor.execute(
        """UPDATE raised_alarm a SET cleared_at = real_now(), resolved_at = coalesce(a.resolved_at, real_now())
           FROM unnest(%s::integer[], %s::text[], %s::text[]) AS well (workspace, rule, subject)
           WHERE a.workspace = well.workspace AND a.rule = well.rule AND a.subject = well.subject
           AND a.cleared_at IS NULL""",
        [[p.workspace for p in places], [p.rule for p in places], [p.subject for p in places]],
    )


def take_untold(cursor: Any, limit: int) -> list[Alarm]:
    """Alarms of the last hour that nobody was told of and somebody can be; they count as told from now on.

    A restored copy tells nobody.
    """
    cursor.execute(
        f"""UPDATE raised_alarm a SET told_at = real_now() WHERE (workspace, id) IN (
                SELECT workspace, id FROM raised_alarm n WHERE told_at IS NULL AND resolved_at IS NULL
                AND raised_at > real_now() - 3600000000
                AND NOT EXISTS (SELECT FROM installation WHERE sending_locked_at IS NOT NULL)
                AND EXISTS (SELECT FROM member m WHERE m.role = 'owner'
                            AND (m.workspace IS NULL OR m.workspace = n.workspace))
                AND EXISTS (SELECT FROM definition d WHERE (d.workspace = n.workspace OR n.workspace = 0)
                            AND d.kind = 'provider' AND d.retired IS NULL AND d.body ->> 'channel' = 'email'
                            AND d.body ->> 'kind' <> 'outbox')
                ORDER BY id LIMIT %s)
            RETURNING {_COLUMNS}""",  # noqa: S608  # our own column names
        [limit],
    )
    return [_alarm(row) for row in cursor.fetchall()]


def owners(cursor: Any, workspace: int) -> list[str]:
    """Mail addresses of those who own the workspace; of the installation's owners where it is about that."""
    cursor.execute(
        "SELECT email FROM member WHERE role = 'owner' AND (workspace IS NULL OR workspace = %s) ORDER BY id",
        [workspace],
    )
    return [row[0] for row in cursor.fetchall()]


def carrier(cursor: Any, workspace: int) -> tuple[int, dict[str, Any]] | None:
    """The workspace's mail provider and whose it is; any one where it is about the installation."""
    cursor.execute(
        """SELECT workspace, body FROM definition WHERE (workspace = %s OR %s = 0) AND kind = 'provider'
           AND retired IS NULL AND body ->> 'channel' = 'email' AND body ->> 'kind' <> 'outbox'
           ORDER BY workspace, introduced DESC LIMIT 1""",
        [workspace, workspace],
    )
    return cursor.fetchone()


def secret(cursor: Any) -> bytes:
    cursor.execute("SELECT secret FROM installation")
    return cursor.fetchone()[0]


# what the routes read ------------------------------------------------------------------------------------------------


async def listed(
    conn: AsyncConnection[Any], workspace: int, before: int, limit: int, *, only_raised: bool
) -> list[Alarm]:
    """The workspace's and the installation's, newest first."""
    found = await conn.execute(
        f"""SELECT {_COLUMNS} FROM raised_alarm WHERE workspace IN (%s, 0) AND id < %s
            AND (NOT %s OR resolved_at IS NULL) ORDER BY id DESC LIMIT %s""",  # type: ignore[arg-type]  # noqa: S608
        [workspace, before, only_raised, limit],
    )
    return [_alarm(row) for row in await found.fetchall()]


async def one(conn: AsyncConnection[Any], workspace: int, alarm: int) -> Alarm | None:
    found = await conn.execute(
        f"SELECT {_COLUMNS} FROM raised_alarm WHERE workspace IN (%s, {INSTALLATION}) AND id = %s",  # type: ignore[arg-type]  # noqa: S608
        [workspace, alarm],
    )
    row = await found.fetchone()
    return _alarm(row) if row else None


async def resolve(conn: AsyncConnection[Any], workspace: int, alarm: int, by: str, *, clears: bool) -> None:
    await conn.execute(
        """UPDATE raised_alarm SET resolved_at = real_now(), resolved_by = %s,
               cleared_at = CASE WHEN %s THEN real_now() ELSE cleared_at END
           WHERE workspace = %s AND id = %s AND resolved_at IS NULL""",
        [by, clears, workspace, alarm],
    )

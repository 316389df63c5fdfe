"""SQL of opens and clicks as they come: kept for some minutes, until it is clear whether a machine did them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace
from psycopg import AsyncConnection, Connection

from kizuna.core.clock import MINUTE
from kizuna.engine.append import Statement
from kizuna.messages.actor import AT_ONCE, MACHINE, SUSPECT_FOR, Touch
from kizuna.messages.message import TEST, TO

_KEPT = SUSPECT_FOR + MINUTE
_MOST = 500  # of one message: nobody makes us read more by asking often
_MERGES = 100  # that lead from a record to the one that lives


class Mail(Struct, frozen=True):
    """What a touch is about: a message, the record that it is of by now, and the links it has."""

    id: bytes
    profile: bytes
    channel: str
    template: str
    journey: str | None
    run: str | None
    step: str | None
    campaign: str | None
    variant: str | None
    topic: str | None
    provider: str | None
    history: list[int]
    purpose: str
    links: list[str]


_MAIL = (
    "id, profile, channel, template, journey, run, step, campaign, variant, topic, provider, history, purpose,"
    " CASE WHEN body IS NULL THEN '[]' ELSE coalesce(links, '[]') END"
)


async def mails(conn: AsyncConnection[Any], workspace: int, messages: Iterable[bytes]) -> dict[bytes, Mail]:
    """By id, those that are there, and their customers too, if they were said to one."""
    found = await conn.execute(
        f"SELECT {_MAIL} FROM message WHERE workspace = %s AND id = ANY(%s::bytea[])",  # type: ignore[arg-type]  # noqa: S608
        [workspace, list(messages)],
    )
    rows = [Mail(*row) for row in await found.fetchall()]
    living = await _living(conn, workspace, {row.profile for row in rows})
    living |= {row.profile: row.profile for row in rows if row.purpose in (TO, TEST) and row.profile not in living}
    return {row.id: replace(row, profile=living[row.profile]) for row in rows if row.profile in living}


async def _living(conn: AsyncConnection[Any], workspace: int, profiles: Iterable[bytes]) -> dict[bytes, bytes]:
    """Which record each of these is now, after merges."""
    now = {profile: profile for profile in profiles}
    lives: dict[bytes, bytes] = {}
    for _ in range(_MERGES):
        if not now:
            break
        found = await conn.execute(
            "SELECT id, merged_into FROM profile WHERE workspace = %s AND id = ANY(%s::bytea[])",
            [workspace, list(set(now.values()))],
        )
        merged: dict[bytes, bytes | None] = dict(await found.fetchall())
        lives |= {asked: at for asked, at in now.items() if at in merged and merged[at] is None}
        now = {asked: into for asked, at in now.items() if (into := merged.get(at)) is not None}
    return lives


def add(workspace: int, touches: Sequence[tuple[bytes, bytes, Touch]], said_at: int) -> Statement:
    """The statement to run in the transaction that appends the items of touches, each with its message and profile.
    `said_at` is by the workspace's clock, `at` by the database's: several servers write here, and a clock that stands
    still tells nothing about machines."""
    return (
        "INSERT INTO touch (workspace, item, message, profile, state, link, actor, said_at)"
        " SELECT %s, new.*, %s FROM unnest(%s::text[], %s::bytea[], %s::bytea[], %s::text[], %s::integer[], %s::text[])"
        " AS new (item, message, profile, state, link, actor)",
        [
            workspace,
            said_at,
            [touch.item for _, _, touch in touches],
            [message for message, _, _ in touches],
            [profile for _, profile, _ in touches],
            [touch.state for _, _, touch in touches],
            [touch.link for _, _, touch in touches],
            [touch.actor for _, _, touch in touches],
        ],
    )


async def of_messages(conn: AsyncConnection[Any], workspace: int, messages: list[bytes]) -> dict[bytes, list[Touch]]:
    """The latest of each, as far back as they tell something about one that comes now."""
    found = await conn.execute(
        "SELECT asked.id, t.item, t.state, t.link, t.at, t.actor FROM unnest(%s::bytea[]) AS asked (id)"
        " CROSS JOIN LATERAL (SELECT * FROM touch WHERE workspace = %s AND message = asked.id"
        " AND at > real_now() - %s ORDER BY at DESC LIMIT %s) t",
        [messages, workspace, SUSPECT_FOR + AT_ONCE, _MOST],
    )
    touches: dict[bytes, list[Touch]] = {}
    for message, *touch in await found.fetchall():
        touches.setdefault(message, []).append(Touch(*touch))
    return touches


class Claimed(NamedTuple):
    """An open or a click that is a machine's from now on."""

    message: bytes
    profile: bytes
    item: str
    state: str
    said_at: int


async def claim(conn: AsyncConnection[Any], workspace: int, items: list[str]) -> list[Claimed]:
    """Each is claimed once."""
    found = await conn.execute(
        "UPDATE touch SET actor = %s WHERE workspace = %s AND item = ANY(%s) AND actor <> %s"
        " RETURNING message, profile, item, state, said_at",
        [MACHINE, workspace, items, MACHINE],
    )
    return [Claimed(*row) for row in await found.fetchall()]


class Hour(NamedTuple):
    """The workspace's time, real time, whether they are the same, and the networks that its policy calls scanners'."""

    now: int
    real: int
    is_live: bool
    scanners: list[str]


async def hour(conn: AsyncConnection[Any], workspace: int) -> Hour:
    found = await conn.execute(
        "SELECT CASE clock WHEN 'test' THEN now ELSE real_now() END, real_now(), clock <> 'test',"
        " coalesce((SELECT body -> 'scanners' FROM definition WHERE workspace = w.id AND kind = 'policy'"
        " AND name = 'policy' AND retired IS NULL), '[]') FROM workspace w WHERE id = %s",
        [workspace],
    )
    row = await found.fetchone()
    assert row, workspace  # noqa: S101  # a signed link names a workspace that exists
    return Hour(*row)


def forget(connection: Connection[Any]) -> None:
    connection.execute("DELETE FROM touch WHERE at < real_now() - %s", [_KEPT])

"""Takes opens and clicks into the log, each with who did it; says so when what was a person's was a machine's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.core import ids
from kizuna.core.ids import PARTITIONS_DEFAULT
from kizuna.engine.append import append_statements
from kizuna.engine.moment import Item
from kizuna.events.log import Log
from kizuna.messages import sql_touch
from kizuna.messages.actor import CLICKED, MACHINE, TRAP, Touch, bursts, first_look, to_restate
from kizuna.messages.holder import Found
from kizuna.messages.message import RESTATED
from kizuna.messages.network import is_scanner
from kizuna.messages.report import new_id, of_customer
from kizuna.runtime.database import Database

OUTBOX = "outbox"  # the built-in provider: between it and who reads there is nothing that could scan


class Came(Struct, frozen=True):
    """A request for one of a message's addresses."""

    state: str  # opened, clicked
    is_head: bool  # it asked for the head of the answer alone
    agent: str
    address: str = ""  # from where, as far as that is known
    link: int = 0  # its number in the message, or TRAP
    links: int = 0  # how many the message has
    url: str | None = None  # where it leads


async def take_touch(database: Database, log: Log, found: Found, came: Came) -> int:
    """Append it at once, and look again when it is committed: of two that come at the same time, one sees both.
    Answers the position of the last that was said."""
    async with database.connection() as conn:
        now, really, is_live, scanners = await sql_touch.hour(conn, found.workspace)
        before = await sql_touch.of_message(conn, found.workspace, found.message)
    is_timed = (
        is_live and found.row["provider"] != OUTBOX
    )  # where a clock stands, or nothing is between us, all is soon
    history, is_theirs = found.row["history"], is_scanner(came.address, scanners)
    at = now if is_timed else None
    actor = first_look(came.state, came.is_head, came.agent, history, at, is_scanner=is_theirs)
    spans = bursts(before, came.links)
    if came.link == TRAP or any(span.holds(came.state, really) for span in spans):
        actor = MACHINE
    touch = Touch(item=new_id(), state=came.state, link=came.link, at=really, actor=actor)
    said = found.said(actor=actor) | ({"url": came.url} if came.url is not None else {})
    said |= {"hidden": True} if came.link == TRAP else {}
    position = await log.append(
        found.workspace,
        [of_customer(found.profile, came.state, now, said, touch.item)],
        [sql_touch.add(found.workspace, found.message, found.profile, touch, now)],
    )
    if came.state == CLICKED or spans or actor != MACHINE:
        async with database.connection() as conn:
            position = await _look_again(conn, found, came.links, now) or position
    return position


async def _look_again(conn: AsyncConnection[Any], found: Found, links: int, now: int) -> int | None:
    """The position of what is restated; None: all stands as it was said."""
    touches = await sql_touch.of_message(conn, found.workspace, found.message)
    wrong = to_restate(touches, links)
    claimed = await sql_touch.claim(conn, found.workspace, wrong) if wrong else []
    if not claimed:
        return None
    partitions = await accounts.partitions(conn) or PARTITIONS_DEFAULT
    lock, append = append_statements(found.workspace, _restatements(found, claimed, now), partitions, None)
    await conn.execute(*lock)
    row = await (await conn.execute(*append)).fetchone()
    await conn.execute("NOTIFY kizuna_log")
    return row[2] if row else None


def _restatements(found: Found, claimed: Sequence[tuple[bytes, str, str, int]], now: int) -> list[Item]:
    """One to each record that has some of the items, so that it comes after them in the same partition."""
    by_profile: defaultdict[bytes, list[dict[str, Any]]] = defaultdict(list)
    for profile, item, state, at in claimed:
        by_profile[profile].append({"id": item, "state": state, "at": at})
    return [
        of_customer(
            profile, RESTATED, now, found.said(actor=MACHINE, items=items), _id_of(found, items), items[-1]["id"]
        )
        for profile, items in by_profile.items()
    ]


def _id_of(found: Found, items: Sequence[dict[str, Any]]) -> str:
    return ids.show("evt", ids.derive("restated", found.message, *sorted(each["id"] for each in items)))

"""What people carry: messages wait, handed, in a tray until they say what became of them.

They are put there in our own transaction, so that none is lost or there twice, and looked at once more before people
act.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from psycopg import Connection

from kizuna.config import Config
from kizuna.engine.append import append_statements
from kizuna.engine.moment import Item
from kizuna.engine.slice import Workspace
from kizuna.messages import sql_sending
from kizuna.messages.claim import Refused
from kizuna.messages.compose import Composed, delivery
from kizuna.messages.deliver import LOG, ending_of, outcome_of, report_of, said_of
from kizuna.messages.desk import Desk, Judged
from kizuna.messages.message import NEVER, Claimed, Ending
from kizuna.messages.report import of_sender
from kizuna.providers import Accepted
from kizuna.providers.carry import bearer
from kizuna.runtime.database import Database, connect, in_one_go

T = TypeVar("T")


def gather(connection: Connection[Any], desk: Desk, due: sql_sending.Due, limit: int) -> int:
    """Put due messages of a lane into the tray of its provider; how many it took."""
    workspace, now = due.workspace, due.now
    told: list[str] = []
    with in_one_go(connection, told) as cursor:
        claims = sql_sending.claim(cursor, workspace.id, due.channel, now, limit, is_urgent=due.is_urgent)
        carrier = sql_sending.carrier(cursor, workspace.id, due.channel) if claims else None
        if carrier is None:
            return 0
        look = bearer(desk.secrets, workspace.id, carrier)
        taken, endings, reports = [], list[Ending](), list[Item]()
        judgement = desk.judge(cursor, workspace, claims, now)
        for one in judgement.decided:
            if not isinstance(one.verdict, Composed):
                endings.append(ending_of(one, one.verdict))
                reports.append(report_of(one))
                continue
            counted = msgspec.structs.replace(one.message, attempts=one.message.attempts + 1)
            outcome = look(delivery(counted, one.verdict, one.at))
            if isinstance(outcome, Accepted):
                taken.append(said_of(one, one.verdict))
                continue
            judged = msgspec.structs.replace(one, message=counted)
            ending, said = outcome_of(judged, one.verdict, carrier["name"], outcome)
            endings.append(msgspec.structs.replace(ending, attempt=1))
            reports += said
        if taken:
            at = None if workspace.clock == "test" else now
            sql_sending.hand(cursor, workspace.id, taken, carrier["name"], at, lease_seconds=None)
        if endings:
            sql_sending.finish(cursor, workspace.id, endings)
        if reports:
            desk.append(cursor, workspace.id, reports, min(claim.message.root for claim in claims))
        told.append(LOG)
    desk.fetch(workspace, judgement.waiting)
    return len(claims)


def look_again(
    cursor: Any, desk: Desk, workspace: Workspace, claims: Sequence[sql_sending.Claim], now: int, *, expires: bool
) -> tuple[list[Judged], list[Judged]]:
    """Those that may still go, and those that may not: who opted out meanwhile, was erased or left. Unless it
    `expires`, what came into the tray in time stays in time."""
    changed = {"due_at": now} if expires else {"due_at": now, "expires_at": NEVER}  # a test clock looks at `due_at`
    claims = [claim._replace(message=msgspec.structs.replace(claim.message, **changed)) for claim in claims]
    kept: list[Judged] = []
    refused: list[Judged] = []
    for one in desk.judge(cursor, workspace, claims, now).decided:
        (refused if isinstance(one.verdict, Refused) else kept).append(one)
    return kept, refused


def end(cursor: Any, desk: Desk, workspace: int, refused: Sequence[Judged]) -> None:
    """Those that may not go after all leave the tray, with their facts."""
    ours = {one.message.id: one for one in refused if isinstance(one.verdict, Refused)}
    endings = [ending_of(one, one.verdict) for one in ours.values() if isinstance(one.verdict, Refused)]
    gone = sql_sending.finish(cursor, workspace, endings) if endings else []
    if gone:
        reports = [report_of(ours[message]) for message in gone]
        desk.append(cursor, workspace, reports, min(ours[message].message.root for message in gone))


def sent(cursor: Any, workspace: int, messages: Sequence[tuple[Claimed, bytes]], at: int, provider: str) -> list[Item]:
    """Messages (with the profile each went to) are sent now; what the log is to hear of those that were not yet."""
    endings = [Ending(id=one.id, fence=one.fence, state="sent", history=[("sent", at)]) for one, _ in messages]
    ours = set(sql_sending.finish(cursor, workspace, endings)) if endings else set[bytes]()
    return [of_sender(one, profile, "sent", at, provider=provider) for one, profile in messages if one.id in ours]


def append(cursor: Any, workspace: int, items: Sequence[Item], partitions: int) -> int:
    """Append what people said, as a write of its own; its position."""
    for statement in append_statements(workspace, items, partitions, None):
        cursor.execute(*statement)
    return cursor.fetchone()[2]


class Trays:
    """Lets routes do synchronous work on the ledger, on a thread and a connection of its own."""

    def __init__(self, config: Config, database: Database) -> None:
        self.url, self.secret = database.url, config.secret
        self.base = config.links_base.rstrip("/")

    async def work(self, do: Callable[[Connection[Any], Desk], T]) -> T:
        return await asyncio.to_thread(self._work, do)

    def _work(self, do: Callable[[Connection[Any], Desk], T]) -> T:
        with connect(self.url, name="kizuna tray", autocommit=True) as connection:
            return do(connection, Desk.of(connection, self.base, self.secret))

    async def pieces(self, do: Callable[[Connection[Any]], Iterator[bytes]]) -> AsyncIterator[bytes]:
        """What `do` yields, each piece made when it is asked for."""
        connection = await asyncio.to_thread(connect, self.url, name="kizuna tray", autocommit=True)
        try:
            made = do(connection)
            while (piece := await asyncio.to_thread(next, made, None)) is not None:
                yield piece
        finally:
            connection.close()

"""Takes opens and clicks into the log, each with who did it; says so when what was a person's was a machine's.

Those that come together are looked up, judged and committed together: after a campaign they come by the hundred.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.config import Config
from kizuna.core import ids
from kizuna.core.errors import NotFound
from kizuna.engine.append import append_statements
from kizuna.engine.moment import Item
from kizuna.events.gather import Gatherer
from kizuna.events.log import Log
from kizuna.messages import sql_touch
from kizuna.messages.actor import MACHINE, TRAP, Touch, bursts, first_look, to_restate
from kizuna.messages.links import CLICK, HIDDEN, Signer
from kizuna.messages.message import RESTATED
from kizuna.messages.network import is_scanner
from kizuna.messages.report import new_id, of_customer, properties
from kizuna.messages.sql_touch import Claimed, Hour, Mail
from kizuna.messages.touch_ration import TouchRation
from kizuna.providers.vault import secrets_of
from kizuna.runtime.database import Database

OUTBOX = "outbox"  # the built-in provider: between it and who reads there is nothing that could scan


class Visitor(Struct, frozen=True):
    """What a request tells of who made it."""

    agent: str
    address: str  # from where, as far as that is known
    is_head: bool  # it asked for the head of the answer alone


class Came(Struct, frozen=True):
    """A request for one of a message's addresses."""

    message: bytes
    state: str  # opened, clicked
    by: Visitor
    link: int | None = None  # its number in the message, or TRAP; None: a picture


class Seen(Struct, frozen=True):
    """A request, the mail it is about, who did it, and where it leads."""

    mail: Mail
    touch: Touch
    url: str | None

    def item(self, now: int) -> Item:
        said = properties(self.mail) | {"actor": self.touch.actor}
        said |= {"url": self.url} if self.url is not None else {}
        said |= {"hidden": True} if self.touch.link == TRAP else {}
        return of_customer(self.mail.profile, self.touch.state, now, said, self.touch.item)


class Taken(Struct, frozen=True):
    """The log has it, and what is said of it, up to `position`; where its link leads. None: there were so many of this
    message that no more are written."""

    position: int | None
    url: str | None


class Touches:
    """Those that one server process takes."""

    def __init__(self, config: Config, database: Database, log: Log) -> None:
        self._config, self._database, self._log = config, database, log
        self._line = database.line()
        self._gatherer = Gatherer(self._take)
        self._signer: Signer | None = None
        self._ration = TouchRation()

    async def take(self, token: str, purpose: bytes, state: str, by: Visitor) -> Taken:
        """Raises `NotFound` for a token that is not ours, and for a message or customer that is gone."""
        ticket = (await self._signed()).read(token, purpose)
        link = {CLICK: ticket.link, HIDDEN: TRAP}.get(purpose)
        return await self._gatherer.ask(ticket.workspace, Came(ticket.message, state, by, link))

    def is_written(self, message: bytes, state: str) -> bool:
        """Whether one more of this state is to be written; asked once for each."""
        return self._ration.takes(message, state)

    async def _signed(self) -> Signer:
        if self._signer is None:
            async with self._database.connection() as conn:
                self._signer = Signer(secrets_of(await accounts.secret(conn), self._config.secret))
        return self._signer

    async def _take(self, workspace: int, came: list[Came]) -> list[Taken | Exception]:
        """Append them at once, and look again when they are committed: of two that come at the same time, to whichever
        server, one sees both."""
        async with self._line.connection() as conn:
            hour = await sql_touch.hour(conn, workspace)
            mails = await sql_touch.mails(conn, workspace, {each.message for each in came})
            touches = await sql_touch.of_messages(conn, workspace, list(mails))
        seen = [_see(each, mails.get(each.message), touches, hour) for each in came]
        new = [each for each in seen if each is not None and self.is_written(each.mail.id, each.touch.state)]
        if not new:
            return [_gone() if each is None else Taken(None, each.url) for each in seen]
        rows = [(each.mail.id, each.mail.profile, each.touch) for each in new]
        items = [each.item(hour.now) for each in new]
        position = await self._log.append(workspace, items, [sql_touch.add(workspace, rows, hour.now)])
        async with self._line.connection() as conn:
            restated = await self._look_again(conn, workspace, mails, hour.now)
        return [_gone() if each is None else Taken(restated.get(each.mail.id, position), each.url) for each in seen]

    async def _look_again(
        self, conn: AsyncConnection[Any], workspace: int, mails: Mapping[bytes, Mail], now: int
    ) -> dict[bytes, int]:
        """The position of what is restated, by message; of the others all stands as it was said."""
        touches = await sql_touch.of_messages(conn, workspace, list(mails))
        wrong = [item for message, found in touches.items() for item in to_restate(found, len(mails[message].links))]
        claimed = await sql_touch.claim(conn, workspace, wrong) if wrong else []
        if not claimed:
            return {}
        lock, append = append_statements(workspace, _restatements(mails, claimed, now), self._log.partitions, None)
        await conn.execute(*lock)
        row = await (await conn.execute(*append)).fetchone()
        assert row  # noqa: S101
        await conn.execute("NOTIFY kizuna_log")
        return {each.message: row[2] for each in claimed}


def _gone() -> NotFound:
    return NotFound("this link is not one of ours")


def _see(came: Came, mail: Mail | None, touches: dict[bytes, list[Touch]], hour: Hour) -> Seen | None:
    """Who did it, by the request and by what was seen before, to which it is added. None: there is no such link."""
    if mail is None or (came.link is not None and came.link >= len(mail.links)):
        return None
    is_timed = hour.is_live and mail.provider != OUTBOX  # where a clock stands, or nothing is between us, all is soon
    is_theirs, at = is_scanner(came.by.address, hour.scanners), hour.now if is_timed else None
    actor = first_look(came.state, came.by.is_head, came.by.agent, mail.history, at, is_scanner=is_theirs)
    before = touches.setdefault(mail.id, [])
    if came.link == TRAP or any(span.holds(came.state, hour.real) for span in bursts(before, len(mail.links))):
        actor = MACHINE
    touch = Touch(item=new_id(), state=came.state, link=came.link or 0, at=hour.real, actor=actor)
    before.append(touch)
    is_link = came.link is not None and came.link != TRAP
    return Seen(mail, touch, mail.links[touch.link] if is_link else None)


def _restatements(mails: Mapping[bytes, Mail], claimed: Iterable[Claimed], now: int) -> list[Item]:
    """One to each record that has some of a message's items, so that it comes after them in the same partition."""
    groups: defaultdict[tuple[bytes, bytes], list[dict[str, Any]]] = defaultdict(list)
    for each in claimed:
        groups[each.message, each.profile].append({"id": each.item, "state": each.state, "at": each.said_at})
    return [
        of_customer(
            profile, RESTATED, now, properties(mails[message]) | {"actor": MACHINE, "items": items},
            _id_of(message, items), items[-1]["id"],
        )
        for (message, profile), items in groups.items()
    ]  # fmt: skip


def _id_of(message: bytes, items: Sequence[dict[str, Any]]) -> str:
    return ids.show("evt", ids.derive("restated", message, *sorted(each["id"] for each in items)))

"""What requests of browsers need, and the two things they ask: what is there for me, and: this is what I did."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.accounts.keys import KeyRing
from kizuna.channels import IN_PAGE, is_in_page
from kizuna.config import Config
from kizuna.consent import store as consents
from kizuna.consent.section import Consent
from kizuna.consent.terms import read_terms
from kizuna.core import ids
from kizuna.core.errors import NotFound, NotSignedIn
from kizuna.core.problems import Problems
from kizuna.engine.record import decoder_of
from kizuna.engine.slice import Workspace
from kizuna.events.log import Log
from kizuna.messages import links, sql_shelf, store
from kizuna.messages.links import Signer
from kizuna.messages.sql_shelf import Lying, Reader
from kizuna.profiles.section import Profile
from kizuna.providers import all_providers, vault
from kizuna.providers import store as providers
from kizuna.providers.carry import opened
from kizuna.runtime.database import Database
from kizuna.shelves import wall
from kizuna.shelves.show import shown
from kizuna.shelves.stays import Rules, is_over, is_welcome
from kizuna.shelves.take_acts import TAKEN, Done, done, take_acts
from kizuna.shelves.throttle import Throttle
from kizuna.shelves.wire import Act, Pull

AGAIN_SECONDS, LATER_SECONDS = 30, 300  # until a browser asks again; the latter where nothing can lie ready
_profile = decoder_of(Profile)
_consent = decoder_of(Consent)


class Found(Struct, frozen=True):
    """What a browser may have at one moment."""

    offered: list[Lying]
    held: set[bytes]  # what it may keep where it holds it
    needs: str | None = None
    again_after: int = AGAIN_SECONDS


class ShelfDesk:
    def __init__(self, config: Config, database: Database, log: Log, keys: KeyRing) -> None:
        self.config, self.database, self.log, self.keys = config, database, log, keys
        self.throttle = Throttle()
        self._secrets: list[bytes] = []

    async def workspace(self, write_key: str, address: str) -> Workspace:
        """Whose pages these are; raises `NotSignedIn` for an unknown key, `TooMany` for one who comes too often."""
        try:
            caller = await self.keys.caller(write_key)
        except NotSignedIn:
            raise NotSignedIn("this write key is unknown or was taken back", code="unknown_write_key") from None
        caller.require("ingest")
        self.throttle.check(caller.workspace.id, address)
        return caller.workspace

    async def pull(self, workspace: Workspace, asked: Pull) -> tuple[dict[str, Any], int | None]:
        """The answer, and the position of what the log heard of it."""
        async with self.database.connection() as conn:
            secrets = await self._all_secrets(conn)
            now = await accounts.now(conn, workspace.id)
            found = await self._find(conn, workspace, asked, secrets, now)
            webpush = await providers.latest(conn, workspace.id, "webpush")
        first = [Done(each, TAKEN, now) for each in found.offered if each.delivered_at is None]
        position = await take_acts(self.database, self.log, workspace.id, first)
        signer, known = Signer(secrets), set(asked.known)
        names = {ids.show("msg", each) for each in found.held}
        key = (webpush or {}).get("public", {}).get("applicationServerKey")
        answer = {
            "items": [
                shown(each, workspace.id, signer) for each in found.offered if ids.show("msg", each.id) not in known
            ],
            "gone": [name for name in asked.known if name not in names],
            "read": [name for each in found.offered if each.read_at and (name := ids.show("msg", each.id)) in known],
            "push": {"public_key": key} if key else None,
            "again_after_s": found.again_after,
        }
        return answer | ({"needs": found.needs} if found.needs else {}), position

    async def _find(
        self, conn: AsyncConnection[Any], workspace: Workspace, asked: Pull, secrets: list[bytes], now: int
    ) -> Found:
        body = await providers.latest(conn, workspace.id, IN_PAGE)
        if body is None:
            return Found([], set(), again_after=LATER_SECONDS)
        is_vouched = wall.vouched(asked, opened(secrets, workspace.id, body, all_providers()[IN_PAGE]))
        named = wall.named(asked, workspace.id, is_vouched=is_vouched)
        reader = await sql_shelf.reader(conn, workspace.id, named) if named else None
        known = _profile(reader.known) if reader and reader.known else Profile()
        if named is None or not wall.may_read(known, is_vouched=is_vouched):
            return Found([], set(), needs=wall.USER_TOKEN)
        return await self._welcome(conn, workspace, reader, set(asked.known), now) if reader else Found([], set())

    async def _welcome(
        self, conn: AsyncConnection[Any], workspace: Workspace, reader: Reader, known: set[str], now: int
    ) -> Found:
        """What lies there and may still be shown; what is not welcome any more is cleared away."""
        lying = await sql_shelf.lying(conn, workspace.id, reader.all_of_them, now)
        rules = await self._rules(conn, workspace) if lying else Rules({}, workspace.consent)
        consent = _consent(reader.consent) if reader.consent else Consent()
        vetoes = {(channel, topic) for channel, topic in reader.vetoes}
        offered: list[Lying] = []
        for each in lying:
            if not is_welcome(each, consent, vetoes, rules, reader.traits, now):
                await conn.execute(*sql_shelf.clear(workspace.id, each.id))
            elif not each.is_paused and (not is_over(each) or ids.show("msg", each.id) in known):
                offered.append(each)
        return Found(offered, {each.id for each in offered})

    async def _rules(self, conn: AsyncConnection[Any], workspace: Workspace) -> Rules:
        topics = await store.definitions(conn, workspace.id, "topic")
        by_topic = {name: body["default"] for name, _, _, body, _ in topics if "default" in body}
        terms = read_terms(await consents.policy(conn, workspace.id), Problems())
        return Rules(by_topic, workspace.consent, terms)

    async def act(self, workspace: Workspace, acts: list[Act]) -> tuple[int, int | None]:
        """How many were ours to take, and the position of those that were new."""
        async with self.database.connection() as conn:
            signer = Signer(await self._all_secrets(conn))
            named = [(act, _message(signer, workspace.id, act.token)) for act in acts]
            rows = await sql_shelf.placed(conn, workspace.id, sorted({each for _, each in named if each is not None}))
            now = await accounts.now(conn, workspace.id)
        placed = {row.id: row for row in rows if is_in_page(row.channel)}
        taken = [
            done(placed[message], act.act, act.at, now, act.button)
            for act, message in named
            if message is not None and message in placed
        ]
        taken = [each for each in taken if each.is_possible]
        return len(taken), await take_acts(self.database, self.log, workspace.id, taken)

    async def _all_secrets(self, conn: AsyncConnection[Any]) -> list[bytes]:
        if not self._secrets:
            self._secrets = vault.secrets_of(await accounts.secret(conn), self.config.secret)
        return self._secrets


def _message(signer: Signer, workspace: int, token: str) -> bytes | None:
    """The message that a token names; None for one that we did not give away in this workspace."""
    try:
        ticket = signer.read(token, links.IN_PAGE)
    except NotFound:
        return None
    return ticket.message if ticket.workspace == workspace else None

"""Takes what providers report into the log: each thing once, and only from those who carried them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation

from kizuna.accounts import store as accounts
from kizuna.config import Config
from kizuna.consent.accept import Veto, accept
from kizuna.core import ids
from kizuna.core.clock import SECOND
from kizuna.core.errors import Invalid, NotFound, NotSignedIn
from kizuna.engine.moment import Item
from kizuna.events.log import Log
from kizuna.messages import store
from kizuna.messages.message import read_passed, read_word
from kizuna.messages.report import new_id, of_customer
from kizuna.messages.take_acts import Acts, Told, take_acts
from kizuna.messages.take_replies import CHANNEL as TEXTED
from kizuna.messages.take_replies import take_reply
from kizuna.providers import all_providers, vault
from kizuna.providers import store as providers
from kizuna.providers.carry import opened
from kizuna.providers.http import HttpProvider, Outside
from kizuna.providers.report import Act, Incoming, Report
from kizuna.providers.reports_url import workspace_of
from kizuna.runtime.database import Database

REPEATABLE = ("opened", "clicked")  # may happen to one message many times
MOST_REPORTS, MOST_REPLIES = 10_000, 100  # in one request


class ReportDesk:
    """What reports need: the log, and a way to the certificates of those who sign with one."""

    def __init__(self, config: Config, database: Database, log: Log) -> None:
        self.config, self.database, self.log = config, database, log
        self.outside = Outside(config.allow_private_targets)
        self.fetch = lru_cache(64)(self.outside.fetch)

    def address(self, path: str, query: str) -> str:
        """Of a request, as those know it who were told our public address."""
        return f"{self.config.links_base.rstrip('/')}{path}{'?' if query else ''}{query}"

    async def take(self, name: str, token: str, said: Incoming) -> tuple[int, int | None]:
        """How many reports were new to us, and their position; raises `NotSignedIn` for what they did not say."""
        secrets, workspace, body, provider = await self._provider(name, token)
        heard = await asyncio.to_thread(self._read, secrets, workspace, body, provider, said)
        replies = [each for each in heard if isinstance(each, Act) and body["channel"] == TEXTED]
        reports = [each for each in heard if not (isinstance(each, Act) and body["channel"] == TEXTED)]
        try:
            taken, position = await self._take(workspace, name, body, reports)
        except UniqueViolation:  # the same was told twice at once: now it is known
            taken, position = await self._take(workspace, name, body, reports)
        for reply in replies[:MOST_REPLIES]:
            at = await take_reply(self.database, self.log, workspace, name, reply)
            taken, position = taken + (at is not None), at or position
        return taken, position

    async def greet(self, name: str, token: str, asked: Mapping[str, str]) -> str:
        """What a provider wants to hear before it reports; raises as `take` does."""
        secrets, workspace, body, provider = await self._provider(name, token)
        answer = provider.greeting(asked, _settings(secrets, workspace, body, provider))
        if answer is None:
            raise NotFound(f"provider {name!r} asks nothing by GET, or not so")
        return answer

    async def _provider(self, name: str, token: str) -> tuple[Sequence[bytes], int, dict[str, Any], HttpProvider]:
        async with self.database.connection() as conn:
            secrets = vault.secrets_of(await accounts.secret(conn), self.config.secret)
            workspace = workspace_of(secrets, token, name)
            if workspace is None:
                raise NotSignedIn("this address for reports is not one of ours", code="unknown_address")
            body = await providers.current(conn, workspace, name)
        provider = all_providers().get(body["kind"]) if body else None
        if body is None or not isinstance(provider, HttpProvider):
            raise NotFound(f"no provider {name!r} that reports")
        return secrets, workspace, body, provider

    async def _take(
        self, workspace: int, name: str, body: dict[str, Any], said: Sequence[Report | Act]
    ) -> tuple[int, int | None]:
        async with self.database.connection() as conn:
            hour = await _hour(conn, workspace)
            items, vetoes = await _items(
                conn, workspace, name, [each for each in said if isinstance(each, Report)], hour
            )
            told = [Told(each, name, body["channel"], hour.of(each.at)) for each in said if isinstance(each, Act)]
            acts = await take_acts(conn, workspace, told) if told else Acts()
        items, vetoes = [*items, *acts.items], [*vetoes, *acts.vetoes]
        if not items:
            return 0, None
        return len(items), await accept(self.database, self.log, workspace, items, vetoes, acts.once)

    def _read(
        self,
        secrets: Sequence[bytes],
        workspace: int,
        body: dict[str, Any],
        provider: HttpProvider,
        said: Incoming,
    ) -> list[Report | Act]:
        settings = _settings(secrets, workspace, body, provider)
        if not provider.is_genuine(said, settings, self.fetch):
            raise NotSignedIn("the report is not signed as its provider signs", code="invalid_signature")
        return list(islice(provider.reports(said, settings, self.fetch), MOST_REPORTS))


class Hour(Struct, frozen=True):
    """What time it is in a workspace; real time means nothing to a clock that stands still."""

    now: int
    is_live: bool

    def of(self, said: float) -> int:
        return min(int(said * SECOND), self.now) if said > 0 and self.is_live else self.now


async def _hour(conn: AsyncConnection[Any], workspace: int) -> Hour:
    found = await accounts.workspace(conn, workspace)
    return Hour(await accounts.now(conn, workspace), found is not None and found.clock != "test")


def _settings(secrets: Sequence[bytes], workspace: int, body: dict[str, Any], provider: HttpProvider) -> Any:
    try:
        return opened(secrets, workspace, body, provider)
    except msgspec.ValidationError as error:
        raise Invalid(str(error), code="invalid_settings") from None


async def _items(
    conn: AsyncConnection[Any], workspace: int, provider: str, reports: Sequence[Report], hour: Hour
) -> tuple[list[Item], list[Veto]]:
    """Items for the log, and the opt-outs that every claim must see at once."""
    items: list[Item] = []
    vetoes: list[Veto] = []
    told: set[tuple[bytes, str, int]] = set()
    for report in reports:
        try:
            message = ids.read("msg", report.message)
        except Invalid:
            continue
        row = await store.one(conn, workspace, message)
        person = await store.recipient(conn, workspace, row) if row else None
        if row is None or person is None or row["provider"] != provider:
            continue  # said by others over the same account, or erased
        at = hour.of(report.at)
        key = (message, report.state, at if report.state in REPEATABLE else 0)
        if key in told or _is_known(row, report.state, at):
            continue
        told.add(key)
        item = of_customer(person[0], report.state, at, _said(row, message, provider, report), new_id())
        items.append(item)
        if report.state in ("unsubscribed", "complained"):
            is_whole = report.of_channel or report.state == "complained"
            topic = "" if is_whole else row["topic"] or ""
            vetoes.append(Veto(person[0], item.id, row["channel"], topic))
    return items, vetoes


def _is_known(row: Mapping[str, Any], state: str, at: int) -> bool:
    """Providers repeat a report until we answer, and sometimes after."""
    passed = [(read_word(word)[0], at) for word, at in map(read_passed, row["history"])]
    return (state, at) in passed if state in REPEATABLE else any(known == state for known, _ in passed)


def _said(row: Mapping[str, Any], message: bytes, provider: str, report: Report) -> dict[str, Any]:
    names = ("channel", "template", "journey", "run", "step", "campaign", "variant", "topic", "address")
    said: dict[str, Any] = {"message": ids.show("msg", message), "source": provider}
    said |= {name: row[name] for name in names if row[name] and not (name == "topic" and report.of_channel)}
    more = {"class": report.bounce, "reason": report.reason, "url": report.url}
    said |= {name: value for name, value in more.items() if value}
    return said | ({"actor": "unsure"} if report.state in REPEATABLE else {})

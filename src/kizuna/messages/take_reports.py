"""Takes what providers report about messages into the log: each thing once, and only from those who carried them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.config import Config
from kizuna.consent import store as consent_store
from kizuna.core import ids
from kizuna.core.clock import SECOND
from kizuna.core.errors import Invalid, NotFound, NotSignedIn
from kizuna.engine.append import Statement
from kizuna.engine.moment import Item
from kizuna.events.log import Log
from kizuna.messages import store
from kizuna.messages.message import read_passed
from kizuna.messages.report import new_id, of_customer
from kizuna.providers import all_providers, vault
from kizuna.providers import store as providers
from kizuna.providers.carry import opened
from kizuna.providers.http import HttpProvider, Outside
from kizuna.providers.report import Incoming, Report
from kizuna.providers.reports_url import workspace_of
from kizuna.runtime.database import Database

REPEATABLE = ("opened", "clicked")  # may happen to one message many times
MOST_REPORTS = 10_000  # in one request


class ReportDesk:
    """What reports need: the log, and a way to the certificates of those who sign with one."""

    def __init__(self, config: Config, database: Database, log: Log) -> None:
        self.config, self.database, self.log = config, database, log
        self.outside = Outside(config.allow_private_targets)
        self.fetch = lru_cache(64)(self.outside.fetch)

    async def take(self, name: str, token: str, said: Incoming) -> tuple[int, int | None]:
        """How many reports were new to us, and their position; raises `NotSignedIn` for what they did not say."""
        async with self.database.connection() as conn:
            secrets = vault.secrets_of(await accounts.secret(conn), self.config.secret)
            workspace = workspace_of(secrets, token, name)
            if workspace is None:
                raise NotSignedIn("this address for reports is not one of ours", code="unknown_address")
            body = await providers.current(conn, workspace, name)
        provider = all_providers().get(body["kind"]) if body else None
        if body is None or not isinstance(provider, HttpProvider):
            raise NotFound(f"no provider {name!r} that reports")
        reports = await asyncio.to_thread(self._read, secrets, workspace, body, provider, said)
        async with self.database.connection() as conn:
            items, before = await _items(conn, workspace, name, reports)
        if not items:
            return 0, None
        return len(items), await self.log.append(workspace, items, before)

    def _read(
        self,
        secrets: Sequence[bytes],
        workspace: int,
        body: dict[str, Any],
        provider: HttpProvider,
        said: Incoming,
    ) -> list[Report]:
        try:
            settings = opened(secrets, workspace, body, provider)
        except msgspec.ValidationError as error:
            raise Invalid(str(error), code="invalid_settings") from None
        if not provider.is_genuine(said, settings, self.fetch):
            raise NotSignedIn("the report is not signed as its provider signs", code="invalid_signature")
        return list(provider.reports(said, settings, self.fetch))[:MOST_REPORTS]


async def _items(
    conn: AsyncConnection[Any], workspace: int, provider: str, reports: Sequence[Report]
) -> tuple[list[Item], list[Statement]]:
    """Items for the log, and the opt-outs that every claim must see at once."""
    now, found = await accounts.now(conn, workspace), await accounts.workspace(conn, workspace)
    is_live = found is not None and found.clock != "test"  # real time means nothing to a clock that stands still
    items: list[Item] = []
    before: list[Statement] = []
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
        at = min(int(report.at * SECOND), now) if report.at > 0 and is_live else now
        key = (message, report.state, at if report.state in REPEATABLE else 0)
        if key in told or _is_known(row, report.state, at):
            continue
        told.add(key)
        item = of_customer(person[0], report.state, at, _said(row, message, provider, report), new_id())
        items.append(item)
        if report.state in ("unsubscribed", "complained"):
            topic = (row["topic"] or "") if report.state == "unsubscribed" else ""
            before.append(consent_store.veto(workspace, person[0], item.id, row["channel"], topic))
    return items, before


def _is_known(row: Mapping[str, Any], state: str, at: int) -> bool:
    """Providers repeat a report until we answer, and sometimes after."""
    passed = [read_passed(entry) for entry in row["history"]]
    return (state, at) in passed if state in REPEATABLE else any(known == state for known, _ in passed)


def _said(row: Mapping[str, Any], message: bytes, provider: str, report: Report) -> dict[str, Any]:
    names = ("channel", "template", "journey", "run", "step", "campaign", "variant", "topic", "address")
    said: dict[str, Any] = {"message": ids.show("msg", message), "source": provider}
    said |= {name: row[name] for name in names if row[name]}
    more = {"class": report.bounce, "reason": report.reason, "url": report.url}
    said |= {name: value for name, value in more.items() if value}
    return said | ({"actor": "unsure"} if report.state in REPEATABLE else {})

"""What a preview draws from: the catalogs as they are, a code that is none, and other servers as far as they may be
asked without effect."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from kizuna.accounts import store as accounts
from kizuna.catalogs import catalog as catalogs
from kizuna.catalogs import store as catalog_store
from kizuna.config import Config
from kizuna.core.errors import Invalid
from kizuna.fetches import store as fetch_store
from kizuna.fetches.ask import Asker
from kizuna.fetches.authorize import authorization
from kizuna.fetches.request import Answer, Request, failed
from kizuna.promotions import store as promotion_store
from kizuna.promotions.promotion import DUMMY
from kizuna.providers import vault
from kizuna.runtime.database import Database
from kizuna.templates.lookups import MOST_LOOKUPS, Code, Found, Items, Lookups, Missing, Selection, Wanted
from kizuna.templates.render import Content

SECONDS = 1.2  # within which all requests of a preview are asked
RENDERING_SECONDS = 1.5  # within which it must have begun for the last time: it answers within 2 s, or soon after


class Previewer:
    """Belongs to the server process."""

    def __init__(self, config: Config, database: Database) -> None:
        self.config, self.database = config, database
        self.asker = Asker(config.allow_private_targets)

    async def render(self, workspace: int, render: Callable[[Lookups], Content]) -> tuple[Content, list[str]]:
        """The content, and what to warn of. Raises what rendering raises, but for `Missing`."""
        answers: dict[Wanted, Found] = {}
        warnings: list[str] = []
        began = time.monotonic()
        for _ in range(MOST_LOOKUPS):
            if time.monotonic() - began > RENDERING_SECONDS:
                break
            try:
                return await asyncio.to_thread(render, Lookups(answers)), warnings
            except Missing as missing:
                answers[missing.wanted] = await self._find(workspace, missing.wanted, warnings, began + SECONDS)
        raise Invalid("the template looks up too much for one message", code="template_limit")

    async def _find(self, workspace: int, wanted: Wanted, warnings: list[str], until: float) -> Found:
        match wanted:
            case Items(catalog=catalog, ids=ids):
                return await self._items(workspace, catalog, ids)
            case Selection(catalog=catalog, name=name):
                return await self._selected(workspace, catalog, name)
            case Code(promotion=promotion):
                async with self.database.connection() as conn:
                    if await promotion_store.current(conn, workspace, promotion) is None:
                        warnings.append(f"promotion {promotion} does not exist")
                return DUMMY
            case Request():
                answer = await self._ask(workspace, wanted, until)
                if not answer.is_ok:
                    warnings.append(f"connected content: {answer.status or answer.kind}")
                return answer

    async def _catalog(self, workspace: int, name: str) -> catalogs.Catalog | None:
        async with self.database.connection() as conn:
            row = await catalog_store.current(conn, workspace, name)
        return catalogs.read(row[2]) if row else None

    async def _items(self, workspace: int, catalog: str, ids: Sequence[str]) -> Found:
        if await self._catalog(workspace, catalog) is None:
            return None
        async with self.database.connection() as conn:
            statement = catalog_store.items_of(workspace, [(catalog, each) for each in ids])
            rows = await (await conn.execute(*statement)).fetchall()
        found: dict[str, Any] = {item: body for _, item, body in rows}
        return [found[each] for each in ids if each in found]

    async def _selected(self, workspace: int, name: str, selection: str) -> Found:
        declared = await self._catalog(workspace, name)
        found = declared.selection(selection) if declared else None
        if found is None:
            return None
        async with self.database.connection() as conn:
            return [
                row[0] for row in await (await conn.execute(*catalog_store.selected(workspace, name, found))).fetchall()
            ]

    async def _ask(self, workspace: int, request: Request, until: float) -> Answer:
        """What is no GET might have an effect, and stays unasked."""
        if request.method != "GET":
            return failed(f"a preview does not {request.method}")
        kept = self.asker.kept.get(workspace, request)
        if kept is not None:
            return kept
        try:
            header = await self._authorization(workspace, request)
        except Invalid as error:
            return failed(str(error))
        seconds = max(0.0, until - time.monotonic())
        try:
            answer = await asyncio.wait_for(
                asyncio.to_thread(self.asker.ask, request, header, seconds), seconds + 0.2
            )  # a name may take longer to resolve than the request may
        except TimeoutError:
            return failed("there was no time left")
        self.asker.kept.put(workspace, request, answer)
        return answer

    async def _authorization(self, workspace: int, request: Request) -> str:
        if not request.credential:
            return ""
        async with self.database.connection() as conn:
            sealed = await fetch_store.one_credential(conn, workspace, request.credential)
            secrets = vault.secrets_of(await accounts.secret(conn), self.config.secret)
        return authorization(request, sealed, secrets, workspace)

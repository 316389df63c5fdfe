"""The log as ingest and imports write it: what events opt out of is in force from their commit on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from msgspec import Struct

from kizuna.consent.accept import Veto, accept, outlast_all, stated_of
from kizuna.consent.preferences import CHANNEL, refused_in, veto_name
from kizuna.core import ids
from kizuna.engine.append import Statement
from kizuna.engine.moment import Item
from kizuna.events.gather import Gatherer
from kizuna.events.log import Log
from kizuna.events.wires import Refused
from kizuna.runtime.database import Database


class _Write(Struct, frozen=True):
    """What one request wants written."""

    items: Sequence[Item]
    vetoes: Sequence[Veto]


class ObeyingLog:
    """Appends as `Log` does. An event that refuses nothing costs no more; one that does is answered as an opt-out.

    Browsers with a consent manager say their no again and again: those that come together share a commit and a wait.
    """

    def __init__(self, database: Database, log: Log) -> None:
        self.database, self.log = database, log
        self._gatherer = Gatherer(self._commit)

    async def append(
        self,
        workspace: int,
        items: Sequence[Item],
        before: Sequence[Statement] = (),
        refused: Sequence[Refused] = (),
        source: str = "api",
    ) -> int:
        vetoes = vetoes_in(workspace, items)
        if not vetoes:
            return await self.log.append(workspace, items, before, refused, source)
        if before or refused:
            return await accept(self.database, self.log, workspace, items, vetoes, before, refused, source)
        position, left = await self._gatherer.ask(workspace, _Write(items, vetoes))
        await asyncio.shield(left)
        return position

    async def _commit(self, workspace: int, writes: list[_Write]) -> list[tuple[int, asyncio.Task[None]]]:
        """The position, and the wait that all of them share: the next are committed meanwhile."""
        items = [item for each in writes for item in each.items]
        vetoes = [veto for each in writes for veto in each.vetoes]
        position = await self.log.append(workspace, items, [stated_of(workspace, vetoes)])
        left = asyncio.create_task(outlast_all(self.database, workspace, vetoes))
        left.add_done_callback(lambda done: done.cancelled() or done.exception())  # all who wait may have hung up
        return [(position, left)] * len(writes)


def vetoes_in(workspace: int, items: Iterable[Item]) -> list[Veto]:
    """Those that events among these need, also for the visitor whom an event says the customer to be."""
    found: list[Veto] = []
    for item in items:
        for topic in refused_in(item):
            found.append(Veto(item.profile, veto_name(item), CHANNEL, topic))
            if item.user_id and item.anonymous_id:
                visitor = ids.profile_id(workspace, "anon", item.anonymous_id)
                found.append(Veto(visitor, veto_name(item), CHANNEL, topic))
    return found

"""The log as ingest and imports write it: what events opt out of is in force from their commit on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from kizuna.consent.accept import Veto, accept, outlast_all, stated_of
from kizuna.consent.preferences import CHANNEL, refused_in, veto_name
from kizuna.core import ids
from kizuna.engine.append import Statement
from kizuna.engine.moment import Item
from kizuna.events.log import Log
from kizuna.events.wires import Refused
from kizuna.runtime.database import Database


class _Group:
    """What waits to be committed for one workspace."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.vetoes: list[Veto] = []
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()


class ObeyingLog:
    """Appends as `Log` does. An event that refuses nothing costs no more; one that does is answered as an opt-out.

    Browsers with a consent manager say their no again and again: those that come together share a commit and a wait.
    """

    def __init__(self, database: Database, log: Log) -> None:
        self.database, self.log = database, log
        self._groups: dict[int, _Group] = {}
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

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
        group = self._groups.get(workspace)
        if group is None:
            group = self._groups[workspace] = _Group()
            task = asyncio.create_task(self._accept(workspace, group))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        group.items.extend(items)
        group.vetoes.extend(vetoes)
        return await asyncio.shield(group.done)

    async def _accept(self, workspace: int, group: _Group) -> None:
        """As `accept`, in two parts: while one group is committed the next gathers, and waits for no other's end."""
        try:
            async with self._turn:
                del self._groups[workspace]
                position = await self.log.append(workspace, group.items, [stated_of(workspace, group.vetoes)])
            await outlast_all(self.database, workspace, group.vetoes)
        except Exception as error:
            group.done.set_exception(error)
            group.done.exception()  # the waiters have it; nobody else needs to
        else:
            group.done.set_result(position)


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

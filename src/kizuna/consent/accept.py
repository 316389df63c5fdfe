"""Opt-outs are accepted in one way: in force from the commit on, and answered when nothing claimed before is left."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from kizuna.consent import store
from kizuna.consent.outlast import outlast
from kizuna.engine.append import Statement
from kizuna.engine.moment import Item
from kizuna.events.log import Log
from kizuna.runtime.database import Database


class Veto(Struct, frozen=True):
    """Stands in for an opt-out until it is folded: every claim reads it. Without a topic it is of the whole channel."""

    profile: bytes
    item: str  # of the log: the fold that takes it removes the veto
    channel: str
    topic: str = ""


async def accept(
    database: Database,
    log: Log,
    workspace: int,
    items: Sequence[Item],
    vetoes: Sequence[Veto],
    before: Sequence[Statement] = (),
) -> int:
    """Append items with the vetoes that some of them need, and say their position. `before` is as in `Log.append`."""
    stated = [store.veto(workspace, each.profile, each.item, each.channel, each.topic) for each in vetoes]
    position = await log.append(workspace, items, [*before, *stated])
    for channel in {each.channel for each in vetoes}:
        await outlast(database, workspace, [each.profile for each in vetoes if each.channel == channel], channel)
    return position

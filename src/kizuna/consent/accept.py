"""Opt-outs are accepted in one way: in force from the commit on, and answered when nothing claimed before is left.

What brings its own transaction (an import's piece) does the same in two steps: `stated_of` within it, `outlast_all`
after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from kizuna.consent import store
from kizuna.consent.outlast import outlast
from kizuna.engine.append import Statement
from kizuna.engine.moment import Item
from kizuna.events.log import Log
from kizuna.events.wires import Refused
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
    refused: Sequence[Refused] = (),
    source: str = "api",
) -> int:
    """Append items with the vetoes that some of them need, and say their position. The rest is as in `Log.append`."""
    stated = [stated_of(workspace, vetoes)] if vetoes else []
    position = await log.append(workspace, items, [*before, *stated], refused, source)
    await outlast_all(database, workspace, vetoes)
    return position


def stated_of(workspace: int, vetoes: Iterable[Veto]) -> Statement:
    """The statement to run in the transaction that appends opt-outs."""
    return store.vetoes(workspace, [(each.profile, each.item, each.channel, each.topic) for each in vetoes])


async def outlast_all(database: Database, workspace: int, vetoes: Iterable[Veto]) -> None:
    """After the commit, and before the answer: see `outlast`."""
    by_channel: dict[str, set[bytes]] = {}
    for each in vetoes:
        by_channel.setdefault(each.channel, set()).add(each.profile)
    for channel, profiles in by_channel.items():
        await outlast(database, workspace, sorted(profiles), channel)

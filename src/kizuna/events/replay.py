"""Take refused events again: what is good by now goes into the log, the rest stays refused."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from msgspec import Struct

from kizuna.engine.moment import Item
from kizuna.engine.slice import Workspace
from kizuna.events import store
from kizuna.events.ingest import Ingest
from kizuna.events.wires.segment import Reader


class Replayed(Struct, frozen=True):
    """What became of a page of refusals. `last` is where the next page begins; 0 when there is none."""

    taken: int
    refused: int
    last: int
    position: int  # 0 when nothing was taken


async def replay(
    ingest: Ingest, workspace: Workspace, only: Sequence[int] | None, code: str | None, after: int, limit: int
) -> Replayed:
    """Each is read as at its arrival, under the limits of today. Taken twice at once, its id lets it count once."""
    async with ingest.database.connection() as conn:
        rows = await store.refused_again(conn, workspace.id, only, code, after, limit)
    items: list[Item] = []
    taken: list[int] = []
    for row, at, source, body in rows:
        seed = blake2b(f"refused {workspace.id} {row}".encode()).digest()
        reader = Reader(workspace.id, at, workspace.zone, ingest.max_event, seed)
        found = reader.read_again(bytes(body), source.partition(":")[2] or None).items
        items += found
        if found:
            taken.append(row)
    position = 0
    if items:
        position = await ingest.log.append(workspace.id, items, [store.taken_statement(workspace.id, taken)])
    return Replayed(len(taken), len(rows) - len(taken), rows[-1][0] if rows else 0, position)

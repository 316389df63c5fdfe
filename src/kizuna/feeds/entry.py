"""An item of the log as others read it: `{id, type, timestamp, data}`, the envelope of Standard Webhooks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.core import clock, ids
from kizuna.engine.moment import FROM_OUTSIDE
from kizuna.runtime.lake.said import Cells, LogRow, cells_of

OURS = frozenset(("fact", "report"))
VIEWED = {"page": "Page Viewed", "screen": "Screen Viewed"}  # as rules name them

_encode = msgspec.json.encode


class Entry(Struct, frozen=True):
    """One entry, named by its place in the log: the same however often it is told."""

    id: str
    profile: bytes
    body: bytes  # JSON, one line


class Choice(Struct, frozen=True):
    """Which types a feed tells: exact names, or beginnings that end with `*`."""

    names: frozenset[str]
    beginnings: tuple[str, ...]

    @classmethod
    def of(cls, patterns: Sequence[str]) -> Choice:
        return cls(
            frozenset(each for each in patterns if not each.endswith("*")),
            tuple(each[:-1] for each in patterns if each.endswith("*")),
        )

    def takes(self, name: str) -> bool:
        return name in self.names or name.startswith(self.beginnings)


def entries_of(rows: Iterable[LogRow], choice: Choice) -> Iterator[Entry]:
    """What customers did and what we recorded of them, in the order of the log; repetitions are left out."""
    for row in sorted(rows, key=lambda row: (row.at, row.partition, row.offset)):
        for index, cells in enumerate(cells_of(row.body)):
            kind, name = cells[2], type_of(cells[2], cells[3])
            if (kind in OURS or kind in FROM_OUTSIDE) and index not in row.duplicates and choice.takes(name):
                yield _entry(place_of(row.partition, row.offset, index), name, cells)


def place_of(partition: int, offset: int, index: int) -> str:
    """The id of what stands there in the log."""
    return f"evt_{partition}-{offset}-{index}"


def type_of(kind: str, name: str) -> str:
    """`Order Completed`, `message_sent`, `Page Viewed`, `identify`."""
    return VIEWED.get(kind) or (name if kind in OURS or kind == "track" else kind)


def _entry(place: str, name: str, cells: Cells) -> Entry:
    profile, item, kind, said, timestamp, properties, context, user, anonymous, received, _, cause = cells
    said_by = (user, anonymous, cause)
    body = body_of(
        place, name, ids.show("prf", profile), item, kind, said, timestamp, received, properties, context, said_by
    )
    return Entry(place, profile, body)


def body_of(
    place: str, name: str, profile: str, item: str, kind: str, said: str, timestamp: int, received: int,
    properties: bytes, context: bytes, said_by: tuple[str, str, str],
) -> bytes:  # fmt: skip
    """One line of JSON. `said_by`: user id, anonymous id, and what caused it."""
    at = clock.show(timestamp)
    user, anonymous, cause = said_by
    data: dict[str, Any] = {
        "id": item,
        "kind": "fact" if kind in OURS else kind,
        "profile": profile,
        "user_id": user or None,
        "anonymous_id": anonymous or None,
        "name": said or None,
        "timestamp": at,
        "received_at": clock.show(received) if received else None,
        "traits" if kind in ("identify", "group") else "properties": msgspec.Raw(properties or b"{}"),
        "context": msgspec.Raw(context) if context else None,
        "caused_by": cause or None,
    }
    return _encode({"id": place, "type": name, "timestamp": at, "data": data})

"""One partition's log, folded again: what the fold says now is compared with what it said then, never appended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from kizuna.engine.append import APPLIED, ITEMS, Row
from kizuna.engine.memory import MemoryState, Writer
from kizuna.engine.moment import RESUME, Item
from kizuna.engine.record import Codec, StoredRecord
from kizuna.engine.slice import Definition, Workspace
from kizuna.engine.state import LogRow

_decode = msgspec.msgpack.Decoder(list[Item]).decode
_encode = msgspec.msgpack.encode


class Logged(Struct, frozen=True):
    """A whole partition as the log has it; `duplicates` are (offset, index) of items that were not applied."""

    rows: list[LogRow]  # from offset 1 on, without a hole
    applied: int
    duplicates: set[tuple[int, int]]

    def facts(self) -> set[str]:
        """Ids of all facts said so far."""
        return {item.id for row in self.rows if row.kind == APPLIED for item in _decode(row.body)}


class History(MemoryState):
    """A state over one logged partition. What records say to each other is in the log already."""

    def __init__(
        self,
        sections: Sequence[str],
        workspace: Workspace,
        definitions: list[Definition],
        partition: int,
        logged: Logged,
        writers: Mapping[type, Writer],
    ) -> None:
        super().__init__(sections, writers)
        kept = self.make(workspace)
        kept.definitions = definitions
        kept.rows[partition] = [_without(row, logged.duplicates) for row in logged.rows]
        kept.heads[partition].offset = logged.applied
        self.facts: set[str] = set()

    def append(self, workspace: int, rows: Sequence[Row]) -> int:
        self.facts.update(item.id for row in rows if row.kind == APPLIED for item in _decode(row.body))
        return 0

    def repeated(self, workspace: int, seen: Mapping[bytes, int]) -> set[bytes]:
        """Which items came twice was decided then, over all partitions."""
        return set()


def _without(row: LogRow, duplicates: set[tuple[int, int]]) -> LogRow:
    """Items not applied say nothing; the others keep their places, which order what happened at one instant."""
    if row.kind != ITEMS or not duplicates:
        return row
    items = _decode(row.body)
    left_out = [index for index in range(len(items)) if (row.offset, index) in duplicates]
    for index in left_out:
        items[index] = replace(items[index], type=RESUME)
    return replace(row, body=_encode(items)) if left_out else row


def differing(codec: Codec, one: Mapping[bytes, StoredRecord], other: Mapping[bytes, StoredRecord]) -> list[bytes]:
    """Profiles whose records are not the same on both sides. Bytes may differ where meaning does not."""
    return sorted(
        profile for profile in one.keys() | other.keys() if not _is_same(codec, one.get(profile), other.get(profile))
    )


def _is_same(codec: Codec, one: StoredRecord | None, other: StoredRecord | None) -> bool:
    if one is None or other is None:
        return False
    if (one.created_at, one.seen_at) != (other.created_at, other.seen_at):
        return False
    pairs = zip(codec.kinds, one.sections, other.sections, strict=True)
    return all(a == b or _section(codec, name, a) == _section(codec, name, b) for name, a, b in pairs)


def _section(codec: Codec, name: str, body: bytes | None) -> Any:
    return codec.kinds[name]() if body is None else codec.decoders[name](body)

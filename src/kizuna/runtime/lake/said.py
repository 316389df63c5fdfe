"""Rows of the log as columns: what the lake keeps of each item, decoded once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from kizuna.core import clock, ids

if TYPE_CHECKING:
    from arro3.core import Table

# How records speak to each other; what they say was, or will be, said by another item.
INTERNAL = frozenset(("tick", "link", "absorb", "forward", "fill", "resume"))
PROFILE_UPDATED, PROFILE_MERGED = "profile_updated", "profile_merged"

_EARLIEST, _LATEST = clock.read_time("2000-01-01") or 0, clock.read_time("2050-12-31") or 0


class Said(Struct, array_like=True, gc=False, frozen=True):
    """An item as the log's rows hold it: `engine.moment.Item`, which is above this layer; a test compares the two."""

    profile: bytes
    id: str
    type: str
    name: str = ""
    timestamp: int = 0
    properties: bytes = b"{}"
    context: bytes = b""
    user_id: str = ""
    anonymous_id: str = ""
    received_at: int = 0
    flags: int = 0
    caused_by: str = ""


class LogRow(Struct, frozen=True):
    """A row of the log, and which of its items were not applied."""

    partition: int
    offset: int
    at: int
    body: bytes
    duplicates: Sequence[int] = ()


class Change(Struct, array_like=True):
    """What a `profile_updated` or `profile_merged` fact says, as far as the lake keeps it."""

    profile: str
    merged_into: str | None
    traits: str | None
    zone: str | None
    locale: str | None
    user_id: str | None


class Columns:
    """Two tables as lists of rows: events, and the change log of profiles."""

    def __init__(self) -> None:
        self.events: list[tuple[Said, int, int, int, int]] = []  # item, partition, offset, index, logged at
        self.changes: list[tuple[Change, Said, int, int, int, int]] = []

    def add(self, row: LogRow) -> None:
        for index, item in enumerate(_decode(row.body)):
            if item.type in INTERNAL or index in row.duplicates:
                continue
            if item.type == "fact" and item.name in (PROFILE_UPDATED, PROFILE_MERGED):
                self.changes.append((_change(item), item, row.partition, row.offset, index, row.at))
                if item.name == PROFILE_UPDATED:
                    continue
            self.events.append((item, row.partition, row.offset, index, row.at))

    def clear(self) -> None:
        self.events, self.changes = [], []

    def event_table(self) -> Table:
        """Sorted by profile and time, so that a customer's history lies together in each file."""
        from kizuna.runtime.lake.tables import EVENTS, table

        rows = sorted(self.events, key=lambda row: (row[0].profile, row[0].timestamp, row[4], row[2], row[3]))
        items = [row[0] for row in rows]
        shown: dict[bytes, str] = {}
        for item in items:
            if item.profile not in shown:
                shown[item.profile] = ids.show("prf", item.profile)
        return table(
            EVENTS,
            [
                [shown[item.profile] for item in items],
                [row[1] for row in rows],
                [row[2] for row in rows],
                [row[3] for row in rows],
                [item.id for item in items],
                [item.type for item in items],
                [item.name for item in items],
                [item.timestamp for item in items],
                [item.received_at for item in items],
                [row[4] for row in rows],
                [item.properties or b"{}" for item in items],
                [item.context or None for item in items],
                [item.user_id or None for item in items],
                [item.anonymous_id or None for item in items],
                [item.caused_by or None for item in items],
                [item.flags for item in items],
                [month_of(item.timestamp) for item in items],
            ],
        )

    def profile_table(self) -> Table:
        from kizuna.runtime.lake.tables import PROFILES, table

        rows = self.changes
        return table(
            PROFILES,
            [
                *([getattr(row[0], name) for row in rows] for name in Change.__struct_fields__),
                [row[1].timestamp for row in rows],
                [row[5] for row in rows],
                [row[2] for row in rows],
                [row[3] for row in rows],
                [row[4] for row in rows],
            ],
        )


def columns_of(rows: Iterable[LogRow]) -> Columns:
    columns = Columns()
    for row in rows:
        columns.add(row)
    return columns


def _change(fact: Said) -> Change:
    said: dict[str, Any] = msgspec.json.decode(fact.properties, type=dict[str, msgspec.Raw])
    profile = ids.show("prf", fact.profile)
    if fact.name == PROFILE_MERGED:
        return Change(_text(said, "from") or "", profile, None, None, None, None)
    traits = bytes(said["traits"]).decode() if "traits" in said else "{}"
    return Change(profile, None, traits, _text(said, "zone"), _text(said, "locale"), _text(said, "user_id"))


def _text(said: dict[str, Any], key: str) -> str | None:
    found = msgspec.json.decode(said[key]) if key in said else None
    return found if isinstance(found, str) and found else None


def month_of(timestamp: int) -> str:
    """The UTC month, as the lake is divided; times nobody means share the outermost months."""
    return _month_of_day(min(max(timestamp, _EARLIEST), _LATEST) // clock.DAY)


@lru_cache(4096)
def _month_of_day(day: int) -> str:
    return clock.to_datetime(day * clock.DAY).strftime("%Y-%m")


_decode = msgspec.msgpack.Decoder(list[Said]).decode

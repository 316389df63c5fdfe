"""What the engine asks of its log and state: PostgreSQL in production, memory in simulations and backtests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from kizuna.engine.append import Row
from kizuna.engine.moment import Item
from kizuna.engine.record import Record, StoredRecord
from kizuna.engine.slice import Definition, Workspace

_decode_items = msgspec.msgpack.Decoder(list[Item]).decode


class Head(Struct):
    """Where a partition's reader stands."""

    workspace: int
    partition: int
    offset: int
    at: int
    applied: int
    batch: int
    program: int


class LogRow(Struct, frozen=True):
    partition: int
    offset: int
    at: int
    root: int
    kind: int
    body: bytes
    items: int

    def decode(self) -> list[Item]:
        return _decode_items(self.body)


class ParkedItem(Struct, frozen=True):
    """An item of a profile that could not be folded; those after it queue behind it."""

    profile: bytes
    partition: int
    offset: int
    index: int
    at: int
    root: int
    item: Item
    error: str


class Written(Struct, frozen=True, kw_only=True):
    """All that one batch writes, in one transaction."""

    workspace: int
    slot: int  # names the worker among those that count
    heads: Sequence[Head]  # as they stand after the batch; `batch` is the fence, as it was read
    new: Sequence[Record]
    changed: Sequence[Record]
    rung: Sequence[tuple[int, int, bytes]]  # (partition, at, profile) of alarms that rang
    effects: Mapping[type, Sequence[Any]]  # what slices asked for, by type
    counts: Mapping[str, int]
    duplicates: Sequence[tuple[int, int, int]]  # (partition, offset, index) of items that were not applied
    parked: Sequence[ParkedItem]
    resumed: Sequence[bytes]  # profiles of which nothing is parked any more
    rows: Sequence[Row]  # facts, and what was said to other profiles
    is_read: bool  # whether a reader has something new to fold
    is_last: bool = False  # the commit follows at once, and may say what went wrong here


class FencedError(RuntimeError):
    """Another owner folded this partition: what was computed is void."""


class State(Protocol):
    """A log with its heads, and the records folded from it. Reads and one `write` are a transaction."""

    def pending_heads(self, partitions: Sequence[int]) -> list[Head]:
        """Heads with rows not yet folded, by workspace and partition."""
        ...

    def read_rows(self, heads: Sequence[Head], limit: int) -> list[LogRow]:
        """Up to `limit` unfolded rows of each head of one workspace, in offset order per partition."""
        ...

    def due_profiles(self, workspace: int, until: Mapping[int, int], limit: int) -> list[tuple[bytes, int]]:
        """(profile, at) of alarms that ring at or before each partition's instant, earliest first."""
        ...

    def next_wakes(self, partitions: Sequence[int]) -> list[tuple[int, int, int]]:
        """(workspace, partition, alarm) of the earliest timer of each partition of each live workspace."""
        ...

    def sweep_profiles(self, workspace: int, partition: int, section: str) -> list[bytes]:
        """All profiles of a partition that have something in a section."""
        ...

    def parked_profiles(self, partitions: Sequence[int]) -> set[tuple[int, bytes]]: ...

    def parked_items(self, workspace: int, profile: bytes) -> list[ParkedItem]:
        """What was kept back of a profile, in the order of the log."""
        ...

    def workspaces(self, partitions: int) -> dict[int, Workspace]: ...

    def definitions(self, workspace: int, program: int) -> list[Definition]:
        """All definitions introduced up to a program version, retired ones included, oldest first."""
        ...

    def load(self, workspace: int, profiles: Iterable[bytes]) -> list[StoredRecord]: ...

    def repeated(self, workspace: int, seen: Mapping[bytes, int]) -> set[bytes]:
        """Of message key -> instant, those seen in the 90 days before; the others count as seen from now on."""
        ...

    def write(self, written: Written) -> None:
        """Raises `FencedError` when another owner was faster."""
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def refuses(self, error: Exception) -> bool:
        """Whether an error of `write` is about the data of some profile: then it is found and parked."""
        ...

"""A worker's connection to its state, on which it may be interrupted or die."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from kizuna.engine.record import StoredRecord
from kizuna.engine.slice import Definition, Workspace
from kizuna.engine.state import Head, LogRow, ParkedItem, State, Written

READ, WRITING, WRITTEN, COMMITTED = "read", "writing", "written", "committed"


class Crash(BaseException):  # no error: nobody may catch it but the one who let it happen
    """The process ended here; what was not committed never was."""


class Line:
    """A `State` that says where a batch has come to; `reach` may raise `Crash`, or let others work meanwhile."""

    def __init__(self, state: State, reach: Callable[[str], None]) -> None:
        self.state = state
        self.reach = reach
        self.is_writing = False

    def pending_heads(self, partitions: Sequence[int]) -> list[Head]:
        return self.state.pending_heads(partitions)

    def read_rows(self, heads: Sequence[Head], limit: int) -> list[LogRow]:
        rows = self.state.read_rows(heads, limit)
        self.reach(READ)
        return rows

    def due_profiles(self, workspace: int, until: Mapping[int, int], limit: int) -> list[tuple[bytes, int]]:
        return self.state.due_profiles(workspace, until, limit)

    def next_wakes(self, partitions: Sequence[int]) -> list[tuple[int, int, int]]:
        return self.state.next_wakes(partitions)

    def sweep_profiles(self, workspace: int, partition: int, section: str) -> list[bytes]:
        return self.state.sweep_profiles(workspace, partition, section)

    def parked_profiles(self, partitions: Sequence[int]) -> set[tuple[int, bytes]]:
        return self.state.parked_profiles(partitions)

    def parked_items(self, workspace: int, profile: bytes) -> list[ParkedItem]:
        return self.state.parked_items(workspace, profile)

    def workspaces(self, partitions: int) -> dict[int, Workspace]:
        return self.state.workspaces(partitions)

    def definitions(self, workspace: int, program: int) -> list[Definition]:
        return self.state.definitions(workspace, program)

    def load(self, workspace: int, profiles: Iterable[bytes]) -> list[StoredRecord]:
        return self.state.load(workspace, profiles)

    def repeated(self, workspace: int, seen: Mapping[bytes, int]) -> set[bytes]:
        return self.state.repeated(workspace, seen)

    def write(self, written: Written) -> None:
        self.reach(WRITING)
        self.state.write(replace(written, is_last=False))  # it may die, or be late, between this and its commit
        self.is_writing = True
        self.reach(WRITTEN)

    def commit(self) -> None:
        self.state.commit()
        if self.is_writing:
            self.is_writing = False
            self.reach(COMMITTED)

    def rollback(self) -> None:
        self.is_writing = False
        self.state.rollback()

    def refuses(self, error: Exception) -> bool:
        return self.state.refuses(error)

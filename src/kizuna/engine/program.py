"""Programs: the definitions that rule at one version, compiled once and kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from kizuna.core import ids
from kizuna.engine.slice import Definition, Slice, Workspace
from kizuna.engine.state import State

KEPT = 16


def compile_program(
    slices: Sequence[Slice], workspace: Workspace, definitions: Sequence[Definition], version: int
) -> Mapping[str, Any]:
    """The parts by slice name, each compiled with sight of those below."""
    parts: dict[str, Any] = {"version": version}
    for part in slices:
        parts[part.name] = part.compile(workspace, definitions, parts)
    return parts


class Programs:
    """Loads workspaces and programs as a batch needs them."""

    def __init__(self, slices: Sequence[Slice], partitions: int) -> None:
        self.slices = slices
        self.partitions = partitions
        self._workspaces: dict[int, Workspace] = {}
        self._compiled: OrderedDict[tuple[int, int], Mapping[str, Any]] = OrderedDict()

    def partition_of(self, profile: bytes) -> int:
        return ids.partition_of(profile, self.partitions)

    def workspace(self, state: State, workspace: int) -> Workspace:
        if workspace not in self._workspaces:
            self._workspaces = state.workspaces(self.partitions)
        return self._workspaces[workspace]

    def compiled(self, state: State, workspace: Workspace, version: int) -> Mapping[str, Any]:
        key = (workspace.id, version)
        if key not in self._compiled:
            definitions = state.definitions(workspace.id, version)
            self._compiled[key] = compile_program(self.slices, workspace, definitions, version)
            while len(self._compiled) > KEPT:
                self._compiled.popitem(last=False)
        self._compiled.move_to_end(key)
        return self._compiled[key]

"""Programs of simulated workspaces: many stories publish the same, so what was compiled once is kept for all."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from kizuna.core.ids import derive
from kizuna.engine.program import Programs, compile_program
from kizuna.engine.slice import Definition, Slice, Workspace
from kizuna.engine.state import State
from kizuna.testing.simulation.house import PARTITIONS

KEPT = 512

_compiled: OrderedDict[bytes, Mapping[str, Any]] = OrderedDict()


class SharedPrograms(Programs):
    """As `Programs`; workers come and go too often to compile each for itself."""

    def __init__(self, slices: Sequence[Slice]) -> None:
        super().__init__(slices, PARTITIONS)
        self._mine: dict[tuple[int, int], Mapping[str, Any]] = {}

    def compiled(self, state: State, workspace: Workspace, version: int) -> Mapping[str, Any]:
        key = (workspace.id, version)
        if key not in self._mine:
            self._mine[key] = compiled(self.slices, workspace, state.definitions(workspace.id, version), version)
        return self._mine[key]


def compiled(
    slices: Sequence[Slice], workspace: Workspace, definitions: Sequence[Definition], version: int
) -> Mapping[str, Any]:
    """The program of these definitions; what came after `version` does not count."""
    ruling = [each for each in definitions if each.introduced <= version]
    told = [
        (d.kind, d.name, d.version, d.status, d.body, d.introduced, ((d.retired or 0) <= version and d.retired) or 0,
         d.published_at)
        for d in ruling
    ]  # fmt: skip
    names = [part.name for part in slices]
    key = derive(msgspec.msgpack.encode([names, version, workspace.zone, workspace.consent, told]))
    if key not in _compiled:
        _compiled[key] = compile_program(slices, workspace, ruling, version)
        if len(_compiled) > KEPT:
            _compiled.popitem(last=False)
    _compiled.move_to_end(key)
    return _compiled[key]

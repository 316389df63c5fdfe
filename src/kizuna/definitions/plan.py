"""Plan: how wanted documents differ from what rules, and whom applying them would move. Changes nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from kizuna.core.errors import NotSettled
from kizuna.definitions.check import beside, check, scene_of
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Scene, all_kinds
from kizuna.definitions.reach import Reach, reach
from kizuna.definitions.standing import Entry, entries, normal, standing
from kizuna.definitions.store import Key
from kizuna.engine.slice import Workspace
from kizuna.events import settled, store
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake


class Planned(Struct, frozen=True):
    """One definition's line of a plan."""

    entry: Entry
    reach: Reach | None
    warnings: list[str] = []


class Plan(Struct, frozen=True):
    lines: list[Planned]
    mark: str  # of the state it was made for
    is_settled: bool  # else what was accepted lately is not in its numbers

    def count(self, action: str) -> int:
        return sum(line.entry.action == action for line in self.lines)

    @property
    def is_empty(self) -> bool:
        return self.count("unchanged") == len(self.lines)


async def plan(
    database: Database, lake: Lake, workspace: Workspace, documents: Sequence[Document], secret: str,
    patience: float = 5.0,
) -> Plan:  # fmt: skip
    """Raises `Unprocessable` with all errors. Numbers are as of all that was accepted within `patience` seconds."""
    wanted = [normal(each) for each in documents]
    async with database.connection() as conn:
        position = await store.last_position(conn)
    is_settled = False
    with contextlib.suppress(NotSettled):
        await settled.wait(database, workspace.id, position, patience)
        is_settled = True
    async with database.connection() as conn:
        found = await standing(conn, workspace.id)
        scene = scene_of(conn, workspace, secret, found, wanted)
        files = await beside(scene, wanted)
        await check(scene, found, wanted, files)
        listed = entries(found, wanted, files)
        warned = await _warnings(scene, listed, wanted)
    reached = await reach(database, lake, workspace, found, wanted, listed)
    lines = [_planned(each, reached, warned) for each in listed]
    return Plan(lines, found.mark, is_settled)


def _planned(entry: Entry, reached: Mapping[Key, Reach], warned: Mapping[Key, list[str]]) -> Planned:
    key = entry.kind, entry.name
    return Planned(entry, None if entry.is_draft else reached.get(key), warned.get(key, []))


async def _warnings(scene: Scene, listed: Sequence[Entry], wanted: Sequence[Document]) -> dict[Key, list[str]]:
    """Of what would be created or changed."""
    changing = {(each.kind, each.name, each.is_draft) for each in listed if each.action in ("created", "changed")}
    return {
        (each.kind, each.name): await all_kinds()[each.kind].warnings(each, scene)
        for each in wanted
        if (each.kind, each.name, each.is_draft) in changing
    }


def show(made: Plan) -> dict[str, Any]:
    """As the API answers it."""
    return {
        "changes": [_line(line) for line in made.lines if line.entry.action != "unchanged" or line.reach],
        **{action: made.count(action) for action in ("created", "changed", "removed", "unchanged")},
        "settled": made.is_settled,
        "mark": made.mark,
    }


def _line(line: Planned) -> dict[str, Any]:
    entry = line.entry
    said: dict[str, Any] = {
        "kind": entry.kind,
        "name": entry.name,
        "file": f"{all_kinds()[entry.kind].folder}/{entry.name}",
        "action": entry.action,
        "version": entry.version,
        "fields": entry.changes,
    }
    if entry.is_draft:
        said["draft"] = True
    if line.reach:
        said["reach"] = line.reach
    if line.warnings:
        said["warnings"] = line.warnings
    return said

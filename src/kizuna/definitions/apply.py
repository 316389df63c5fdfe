"""Apply: publish what differs, in the order in which one needs the other; all is checked before anything changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from kizuna.core.errors import Conflict, NotSettled
from kizuna.definitions import store
from kizuna.definitions.check import beside, check, scene_of
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Scene, all_kinds
from kizuna.definitions.kinds.segment import readable
from kizuna.definitions.standing import Beside, Entry, Standing, entries, normal, standing
from kizuna.engine.slice import Workspace
from kizuna.events import settled
from kizuna.events import store as events
from kizuna.runtime.database import Database
from kizuna.segments.rule import segments_of

PATIENCE = 60.0  # seconds for members to be found before a journey that begins with them is published
AFTER_MEMBERS = frozenset(("journey", "campaign"))  # kinds that look at who is a member when they are published


class Done(Struct, frozen=True):
    """What was published, removed or kept, in that order."""

    entries: list[Entry]
    position: int


async def apply(
    database: Database, workspace: Workspace, documents: Sequence[Document], secret: str, mark: str = "",
    patience: float = PATIENCE,
) -> Done:  # fmt: skip
    """Two commits: what says who is a member, then, once members are found, what begins with them.

    With `mark` it is refused when the workspace is no longer as it was planned for. Done again after a crash in
    between, it does what is left. Raises `Unprocessable` with all errors before anything is changed.
    """
    wanted = [normal(each) for each in documents]
    first, position = await _commit(database, workspace, wanted, secret, mark, _is_first)
    waits = any(each.kind == "journey" and _begins_by_membership(each.body) for each in wanted)
    if first and waits:  # who matches is a member only once history is filled in, and must not enter as if new
        await _find_members(database, workspace, position, patience)
    then, later = await _commit(database, workspace, wanted, secret, "", lambda _: True)
    return Done([*first, *then], max(position, later))


async def _find_members(database: Database, workspace: Workspace, position: int, patience: float) -> None:
    try:
        await settled.wait(database, workspace.id, position, patience)
    except NotSettled:
        raise NotSettled(
            "segments and what they need are published, their members are still being found (is a worker running?): "
            "apply again to go on with journeys and campaigns"
        ) from None


async def _commit(
    database: Database, workspace: Workspace, wanted: Sequence[Document], secret: str, mark: str,
    is_due: Callable[[Entry], bool],
) -> tuple[list[Entry], int]:  # fmt: skip
    async with database.connection() as conn:
        await store.hold(conn, workspace.id)
        found = await standing(conn, workspace.id)
        if mark and mark != found.mark:
            raise Conflict("definitions were changed since this plan was made: plan again", code="plan_is_old")
        scene = scene_of(conn, workspace, secret, found, wanted)
        files = await beside(scene, wanted)
        await check(scene, found, wanted, files)
        due = [each for each in in_order(found, wanted, files) if is_due(each)]
        position = 0
        for entry in due:
            position = max(position, await _do(entry, scene, wanted))
        return due, position or await events.last_position(conn)


async def _do(entry: Entry, scene: Scene, wanted: Sequence[Document]) -> int:
    kind = all_kinds()[entry.kind]
    if entry.action == "removed":
        return await kind.remove(entry.name, scene)
    named = (entry.kind, entry.name, entry.is_draft)
    return await kind.publish(next(each for each in wanted if (each.kind, each.name, each.is_draft) == named), scene)


def in_order(found: Standing, wanted: Sequence[Document], files: Beside | None = None) -> list[Entry]:
    """What there is to do: by kind, segments after those they ask for; then removals, the other way round."""
    listed = [each for each in entries(found, wanted, files) if each.action != "unchanged"]
    kinds = all_kinds()
    depth = _depths({each.name: each.body for each in wanted if each.kind == "segment"})
    before = _depths({name: each.body for (kind, name), each in found.ruling.items() if kind == "segment"})
    made = [each for each in listed if each.action != "removed"]
    made.sort(key=lambda each: (kinds[each.kind].rank, _depth(each, depth), each.name, each.is_draft))
    removed = [each for each in listed if each.action == "removed"]
    removed.sort(key=lambda each: (-kinds[each.kind].rank, -_depth(each, before), each.name))
    return [*made, *removed]


def _depth(entry: Entry, depths: dict[str, int]) -> int:
    return depths.get(entry.name, 0) if entry.kind == "segment" else 0


def _depths(bodies: dict[str, dict[str, Any]]) -> dict[str, int]:
    """How many segments deep each asks; checked bodies have no cycles."""
    asked = {name: segments_of(rule) if (rule := readable(body)) else set[str]() for name, body in bodies.items()}
    depths: dict[str, int] = {}

    def depth(name: str, below: int = 0) -> int:
        if name not in depths:
            inner = (depth(each, below + 1) for each in asked.get(name, ()) if below < len(asked))
            depths[name] = max(inner, default=-1) + 1
        return depths[name]

    return {name: depth(name) for name in sorted(bodies)}


def _is_first(entry: Entry) -> bool:
    return entry.action != "removed" and entry.kind not in AFTER_MEMBERS


def _begins_by_membership(body: dict[str, Any]) -> bool:
    entry = body.get("entry")
    return isinstance(entry, dict) and isinstance(on := entry.get("on"), dict) and "segment_entered" in on

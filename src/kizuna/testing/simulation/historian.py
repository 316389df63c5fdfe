"""Fills in history as the real one does, reading the log itself where that reads the lake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kizuna.core import ids
from kizuna.engine.append import APPLIED, ITEMS
from kizuna.engine.moment import Item, Moment
from kizuna.segments.history import Past, events_of, fill_item, fill_states
from kizuna.segments.program import Program
from kizuna.testing.simulation.house import Asked, House, Left
from kizuna.testing.simulation.programs import compiled


def fill_next(house: House, workspace: int) -> bool:
    """Do the oldest fill that can be done; says whether there was one."""
    asked = house.asked(workspace)
    if asked is None:
        return False
    left = house.left(workspace)
    program: Program = compiled(house.folds, left.workspace, left.definitions, asked.program)["segments"]
    items: list[Item] = []
    if program.needs_fill(asked.program, left.definitions):
        items = _fill(left, program, asked)
    house.fill(asked, items)
    return True


def _fill(left: Left, program: Program, asked: Asked) -> list[Item]:
    merged, zones = _identity(left, asked.offsets)
    gained = program.gained(asked.program)
    names = events_of(gained)
    past = sorted(
        (
            Past(_living(merged, item.profile), item.name, item.timestamp, moment.arrival, moment.properties, moment.at)
            for item, moment in _history(left, asked.offsets)
            if item.name in names
        ),
        key=lambda past: (past.profile, past.timestamp, past.arrival),
    )
    states = fill_states(gained, past, asked.published_at, zones, left.workspace.zone)
    told = sorted(profile for profile in left.records if profile not in merged)
    return [fill_item(profile, asked.program, states.get(profile, {}), left.now) for profile in told]


def _history(left: Left, offsets: Sequence[int]) -> Iterator[tuple[Item, Moment]]:
    """Events accepted before the publish, each once."""
    for rows, before in zip(left.rows, offsets, strict=True):
        for row in rows:
            if row.kind not in (ITEMS, APPLIED) or row.offset >= before:
                continue
            for index, item in enumerate(row.decode()):
                repeated = (row.partition, row.offset, index) in left.duplicates
                if item.type in ("track", "fact", "report") and not repeated:
                    yield item, Moment(item, row.at, row.root, index)


def _identity(left: Left, offsets: Sequence[int]) -> tuple[dict[bytes, bytes], dict[bytes, str]]:
    """Who had become whom before the publish; and the zones, as last known."""
    merged: dict[bytes, bytes] = {}
    zones: dict[bytes, str] = {}
    for rows, before in zip(left.rows, offsets, strict=True):
        for row in rows:
            for fact in row.decode() if row.kind == APPLIED else ():
                if fact.name == "profile_merged" and row.offset < before:
                    merged[ids.read("prf", Moment(fact, 0, 0).properties["from"])] = fact.profile
                elif fact.name == "profile_updated":
                    zones[fact.profile] = Moment(fact, 0, 0).properties.get("zone") or ""
    return merged, zones


def _living(merged: dict[bytes, bytes], profile: bytes) -> bytes:
    while profile in merged:
        profile = merged[profile]
    return profile

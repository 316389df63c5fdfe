"""Whom a change would move: the segments as they are and as they would be, asked of one state of the lake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from kizuna.accounts import store as accounts
from kizuna.core.errors import Invalid
from kizuna.definitions import store
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import all_kinds
from kizuna.definitions.kinds.segment import readable
from kizuna.definitions.standing import Entry, Standing
from kizuna.definitions.store import Key
from kizuna.engine.slice import Workspace
from kizuna.journeys.definition import Journey, parse
from kizuna.journeys.program import ACTIVE
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake, Question
from kizuna.runtime.lake.views import some_profiles
from kizuna.segments import rule
from kizuna.segments.rule import AllOf, AnyOf, InSegment, Not, Rule
from kizuna.segments.sql import compile_sql, profiles_zones_sql

MOST_NODES = 20_000  # of one rule with all that it asks written out
NO_ONE = AnyOf(())


class Reach(Struct, frozen=True, omit_defaults=True):
    """What a change would set off at once; only what its kind has is said."""

    members: int | None = None  # of the segment afterwards, or whom the campaign would be said to now
    enter: int | None = None
    leave: int | None = None
    starts: list[str] = []  # journeys that rule now and begin with that entering or leaving
    open_runs: int | None = None  # of a journey: they stay on their version, or end when it is removed
    waiting: int | None = None  # members who would enter a journey if published with include_members
    used_by: list[str] = []  # what says a template, or speaks of a topic


async def reach(
    database: Database, lake: Lake, workspace: Workspace, found: Standing,
    wanted: Sequence[Document], listed: Sequence[Entry],
) -> dict[Key, Reach]:  # fmt: skip
    """By definition; segments that ask for a changed one are there too."""
    target = {(each.kind, each.name): each.body for each in wanted if not each.is_draft}
    moving = _moving(found, target)
    rules = {name: known for (kind, name), body in target.items() if kind == "segment" and (known := readable(body))}
    written = {name: written_out(rules[name], rules, moving) for name in moving if name in rules}
    changed = [each for each in listed if not each.is_draft and each.action != "unchanged"]
    asked = _Asked(written)
    for name in sorted(moving):
        asked.moves(name)
    journeys = {each.name: _journey(target.get((each.kind, each.name))) for each in changed if each.kind == "journey"}
    for name, journey in journeys.items():
        if journey and journey.entry.trigger and journey.entry.trigger.event == "segment_entered":
            audience = journey.entry.audience
            both = [InSegment(journey.entry.trigger.segment)]
            both += [rule.parse(audience.raw)] if audience else []
            asked.counted("journey", name, written_out(AllOf(tuple(both)), rules, moving))
    for each in changed:
        said = target.get((each.kind, each.name))
        if each.kind == "campaign" and said:
            node = readable(said) or InSegment(said["segment"])
            asked.counted("campaign", each.name, written_out(node, rules, moving))
    answers = await _answers(database, lake, workspace, asked)
    async with database.connection() as conn:
        runs = await store.open_runs(conn, workspace.id)
    result: dict[Key, Reach] = {}
    for name in sorted(moving):
        members, enter, leave = answers["segment", name]
        starts = _starts(found, name, entered=bool(enter), left=bool(leave))
        result["segment", name] = Reach(members=members, enter=enter, leave=leave, starts=starts)
    for each in changed:
        key = (each.kind, each.name)
        counted = answers.get(key, (None,))[0]
        match each.kind:
            case "journey":
                result[key] = Reach(open_runs=runs.get(each.name, 0), waiting=counted)
            case "campaign" if counted is not None:
                result[key] = Reach(members=counted)
            case "template" | "topic":
                result[key] = Reach(used_by=_used_by(key, target))
    return result


def _moving(found: Standing, target: Mapping[Key, dict[str, Any]]) -> set[str]:
    """Segments whose members may change: another rule, or one that asks for such a segment."""
    before = {name: readable(each.body) for (kind, name), each in found.ruling.items() if kind == "segment"}
    after = {name: readable(body) for (kind, name), body in target.items() if kind == "segment"}
    moving = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    while True:
        asking = {name for name, node in after.items() if node and rule.segments_of(node) & moving} - moving
        if not asking:
            return moving
        moving |= asking


def written_out(node: Rule, rules: Mapping[str, Rule], moving: set[str]) -> Rule:
    """The rule with the segments that move replaced by their new rules; the others are asked by membership."""
    room = MOST_NODES

    def out(node: Rule) -> Rule:
        nonlocal room
        room -= 1
        if room < 0:
            raise Invalid("the segments ask for each other too often to be looked at", code="too_complex")
        match node:
            case AllOf():
                return AllOf(tuple(out(each) for each in node.rules))
            case AnyOf():
                return AnyOf(tuple(out(each) for each in node.rules))
            case Not():
                return Not(out(node.rule))
            case InSegment() if node.segment in moving:
                return out(rules[node.segment]) if node.segment in rules else NO_ONE
        return node

    return out(node)


class _Asked:
    """Questions, each under the definition it is about."""

    def __init__(self, written: Mapping[str, Rule]) -> None:
        self.written = written
        self.found: list[tuple[Key, str, Rule | None, dict[str, Any]]] = []

    def moves(self, segment: str) -> None:
        node = self.written.get(segment)
        self.found.append((("segment", segment), store.MOVES, node, {"segment": segment}))

    def counted(self, kind: str, name: str, node: Rule) -> None:
        self.found.append(((kind, name), store.COUNT, node, {}))


async def _answers(
    database: Database, lake: Lake, workspace: Workspace, asked: _Asked
) -> dict[Key, tuple[Any, ...]]:  # fmt: skip
    if not asked.found:
        return {}
    async with database.connection() as conn:
        now = await accounts.now(conn, workspace.id)
    zones = [zone for (zone,) in await lake.query(database, workspace.id, profiles_zones_sql())]
    questions: list[Question] = []
    for _, sql, node, params in asked.found:
        compiled = compile_sql(node, now, workspace.zone, zones, some_profiles) if node else store.NOBODY
        questions.append((sql.format(rule=compiled), params))
    rows = await lake.query_all(database, workspace.id, questions, seconds=120)
    return {key: row[0] for (key, *_), row in zip(asked.found, rows, strict=True)}


def _journey(body: dict[str, Any] | None) -> Journey | None:
    return parse(body.get("name") or "", body) if body else None


def _starts(found: Standing, segment: str, *, entered: bool, left: bool) -> list[str]:
    heard = {("segment_entered", segment)} if entered else set[tuple[str, str]]()
    heard |= {("segment_left", segment)} if left else set()
    return [
        name
        for (kind, name), each in found.ruling.items()
        if kind == "journey" and each.status == ACTIVE and (journey := _journey(each.body)) and journey.entry.trigger
        if (journey.entry.trigger.event, journey.entry.trigger.segment) in heard
    ]


def _used_by(key: Key, target: Mapping[Key, dict[str, Any]]) -> list[str]:
    kinds = all_kinds()
    return [f"{kinds[kind].folder}/{name}" for (kind, name), body in target.items() if key in kinds[kind].uses(body)]

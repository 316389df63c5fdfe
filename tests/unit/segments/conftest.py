"""A world of a few customers: the real folder with the slices that segments stand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from kizuna.consent.fold import ConsentSlice
from kizuna.core import clock, exact_json, ids
from kizuna.engine.folder import Folder
from kizuna.engine.moment import Item, Moment
from kizuna.engine.slice import Definition, Effects, Record, Scope, Workspace
from kizuna.profiles.fold import ProfileSlice
from kizuna.profiles.gate import ProfileGate
from kizuna.segments.fold import SegmentSlice
from kizuna.segments.section import MembershipChanged

START = clock.to_instant(clock.to_datetime(0).replace(year=2026, month=3, day=2, hour=10))


def publish(*versions: Mapping[str, Any]) -> list[Definition]:
    """Program versions 1, 2, ...: each maps segment names to rules (None retires), as publishing would store them."""
    definitions: list[Definition] = []
    for program, changes in enumerate(versions, 1):
        for name, rule in changes.items():
            for index, old in enumerate(definitions):
                if old.name == name and old.retired is None:
                    definitions[index] = msgspec.structs.replace(old, retired=program)
            if rule is not None:
                version = 1 + sum(old.name == name for old in definitions)
                body = {"title": name, "where": rule}
                definitions.append(Definition("segment", name, version, "active", body, program, None))
    return definitions


class World:
    """Folds what is said to customers; time moves with what is said, or by `until`."""

    def __init__(
        self, *programs: Mapping[str, Any], zone: str = "UTC", guests: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self.slices = [ProfileSlice(), ConsentSlice(), SegmentSlice([lambda _: guests])]
        self.workspace = Workspace(1, "shop", "test", zone, "EUR", "opt_out", partitions=4)
        self.folder = Folder(
            self.slices, ProfileGate({s.name: s.section for s in self.slices}), frozenset(("profiles", "segments"))
        )
        self.definitions = publish(*programs)
        self.effects = Effects()
        self.records: dict[bytes, Record] = {}
        self.said = 0
        self.last: Item | None = None
        self.now = START
        self.rule(len(programs))

    def rule(self, version: int) -> None:
        """Let a program version rule from here on."""
        self.version = version
        parts: dict[str, Any] = {"version": version}
        for part in self.slices:
            parts[part.name] = part.compile(self.workspace, self.definitions, parts)
        self.program = parts
        self.scope = Scope(self.workspace, parts, self.effects)

    def profile(self, user: str) -> bytes:
        return ids.profile_id(1, "user", user)

    def record(self, user: str = "ada") -> Record:
        profile = self.profile(user)
        if profile not in self.records:
            sections = {part.name: part.section() for part in self.slices}
            self.records[profile] = Record(profile, 0, sections, is_new=True)
        return self.records[profile]

    def say(
        self, item_type: str, name: str = "", *, user: str = "ada", at: int = 0, zone: str = "", **said: Any
    ) -> None:
        """One item, said now; `at` is when it happened."""
        self.said += 1
        record = self.record(user)
        item = Item(
            profile=record.id, id=f"m{self.said}", type=item_type, name=name, timestamp=at or self.now, user_id=user,
            properties=exact_json.encode(said), received_at=self.now,
            context=exact_json.encode({"timezone": zone}) if zone else b"",
        )  # fmt: skip
        self.last = item
        self.take(record, item)

    def track(self, name: str, *, user: str = "ada", at: int = 0, **properties: Any) -> None:
        self.say("track", name, user=user, at=at, **properties)

    def take(self, record: Record, item: Item) -> None:
        self.scope.record, record.program = record, self.version
        self.folder.advance(Moment(item, self.now, 1, self.said % 4096), self.scope)
        self._reload(record)

    def until(self, instant: int) -> None:
        """Time passes: nothing is said, only timers fire."""
        self.now = instant
        for record in self.records.values():
            self.scope.record = record
            self.folder.fire(self.scope, instant, 1)
            self._reload(record)

    def _reload(self, record: Record) -> None:
        """What is kept is what the database would give back; what was not touched is lost."""
        for part in self.slices:
            if part.name in record.touched:
                raw = msgspec.msgpack.encode(record.sections[part.name])
                record.sections[part.name] = msgspec.msgpack.decode(raw, type=part.section)
        record.touched.clear()
        record.is_new = False

    def members(self, user: str = "ada") -> set[str]:
        return set(self.record(user)["segments"].member_of)

    def facts(self, *names: str) -> list[tuple[str, str, int]]:
        """(fact, segment, instant) of the facts named, in order."""
        wanted = names or ("segment_entered", "segment_left")
        return [
            (fact.name, exact_json.decode(fact.properties)["segment"], fact.timestamp)
            for _, fact, _ in self.effects.facts
            if fact.name in wanted
        ]

    def rows(self) -> dict[tuple[str, bytes], int]:
        """The rows of `membership` as the writer would leave them."""
        rows: dict[tuple[str, bytes], int] = {}
        for change in self.effects.other.get(MembershipChanged, ()):
            if change.entered:
                rows[change.segment, change.profile] = change.at
            else:
                rows.pop((change.segment, change.profile), None)
        return rows


@pytest.fixture(scope="session")
def world() -> type[World]:
    return World

"""A world in memory: records, and time that moves when told; the pure engine without a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from kizuna.core import exact_json, ids
from kizuna.engine.folder import Folder
from kizuna.engine.moment import Item, Moment
from kizuna.engine.slice import Definition, Effects, Record, Scope, Section, Slice, Workspace, Writer
from kizuna.profiles.fold import ProfileSlice
from kizuna.profiles.gate import ProfileGate
from kizuna.profiles.section import Profile

EARLY = frozenset(("profiles", "segments"))


class Ear:
    """The last slice: remembers the events it heard."""

    name: ClassVar[str] = "ear"
    section: ClassVar[type[Section]] = Section
    writers: ClassVar[Mapping[type, Writer]] = {}

    def __init__(self) -> None:
        self.heard: list[Moment] = []

    def compile(self, workspace: Workspace, definitions: Sequence[Definition], lower: Mapping[str, Any]) -> None:
        return None

    def hears(self, part: None, kind: str, name: str) -> bool:
        return True

    def fold(self, moment: Moment, scope: Scope) -> None:
        if moment.type in ("track", "page", "screen"):
            self.heard.append(moment)

    def wake(self, scope: Scope) -> None:
        scope.record["ear"].wake_at = 0

    def absorb(self, other: Section, scope: Scope) -> None:
        pass


class World:
    """Says things to profiles and lets relays arrive; every item is folded at the `at` it is given."""

    def __init__(self, slices: Sequence[Slice] = (), program: Mapping[str, Any] | None = None) -> None:
        self.ear = Ear()
        self.slices: list[Slice] = [ProfileSlice(), *slices, self.ear]
        self.sections = {part.name: part.section for part in self.slices}
        self.folder = Folder(self.slices, ProfileGate(self.sections), EARLY)
        self.workspace = Workspace(1, "test", "test", "UTC", "JPY", "opt_out")
        self.effects = Effects()
        self.scope = Scope(self.workspace, program or {"version": 1}, self.effects)
        self.records: dict[bytes, Record] = {}
        self.now = 0
        self.number = 0
        self.delivered = 0

    @property
    def heard(self) -> list[Moment]:
        return self.ear.heard

    @property
    def relayed(self) -> list[Item]:
        return [item for item, _ in self.effects.relays]

    def id(self, *, user: str = "", anon: str = "") -> bytes:
        return ids.profile_id(1, "user" if user else "anon", user or anon)

    def record(self, profile: bytes) -> Record:
        if profile not in self.records:
            sections = {name: kind() for name, kind in self.sections.items()}
            self.records[profile] = Record(profile, 0, sections, is_new=True)
        return self.records[profile]

    def profile(self, *, user: str = "", anon: str = "") -> Profile:
        return self.record(self.id(user=user, anon=anon))["profiles"]

    def facts_of(self, *, user: str = "", anon: str = "", name: str = "") -> list[Item]:
        """Those said of a profile, or of them those called `name`."""
        of = self.id(user=user, anon=anon)
        return [fact for _, fact, _ in self.effects.facts if fact.profile == of and name in ("", fact.name)]

    def say(
        self,
        kind: str,
        *,
        user: str = "",
        anon: str = "",
        name: str = "",
        traits: Mapping[str, Any] | None = None,
        at: int | None = None,
        timestamp: int | None = None,
        external: Sequence[str] = (),
        device: str = "",
    ) -> None:
        self.now = max(self.now, at if at is not None else self.now + 1)
        self.number += 1
        item = Item(
            self.id(user=user, anon=anon), f"m{self.number}", kind, name, self.now if timestamp is None else timestamp,
            exact_json.encode(traits or {}), _context(external, device), user, anon, self.now,
        )  # fmt: skip
        self.fold(item)

    def fold(self, item: Item) -> None:
        record = self.scope.record = self.record(item.profile)
        self.folder.advance(Moment(item, self.now, self.number), self.scope)
        record.is_new = False

    def settle(self) -> None:
        """Deliver what profiles said to each other until nobody has anything to say."""
        while self.delivered < len(self.effects.relays):
            item, _ = self.effects.relays[self.delivered]
            self.delivered += 1
            self.fold(item)

    def tick(self, now: int) -> None:
        self.now = now
        for record in list(self.records.values()):
            self.scope.record = record
            self.folder.fire(self.scope, now, self.number)


def _context(external: Sequence[str], device: str) -> bytes:
    """External ids of one type and a phone's token, as a device library says them."""
    listed = [{"id": each, "type": "crm", "collection": "users", "encoding": "none"} for each in external]
    said: dict[str, Any] = {"externalIds": listed} if listed else {}
    if device:
        said["device"] = {"type": "ios", "token": device}
    return exact_json.encode(said) if said else b""

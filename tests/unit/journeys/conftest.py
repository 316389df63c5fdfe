"""A world of one customer: the real folder, the journeys slice, and stand-ins for the slices around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import pytest

from kizuna.core import clock, exact_json, ids
from kizuna.engine.folder import Folder
from kizuna.engine.moment import Item, Moment
from kizuna.engine.slice import Definition, Effects, Record, Scope, Section, Workspace, Writer
from kizuna.journeys.fold import JourneySlice
from kizuna.journeys.run import Run
from kizuna.journeys.section import Journeys
from kizuna.messages.grant import SendRequest
from kizuna.profiles.section import Profile
from kizuna.segments.rule import rule_key

START = clock.to_instant(clock.to_datetime(0).replace(year=2026, month=3, day=2, hour=10))  # a Monday


class Everyone:
    """A gate that lets everything through."""

    def admit(self, moment: Moment, scope: Scope, folder: Folder) -> Moment:
        return moment

    def is_parked(self, record: Record) -> bool:
        return False


class Traits:
    """The profiles slice as far as journeys need it."""

    name: ClassVar[str] = "profiles"
    section: ClassVar[type[Section]] = Profile
    writers: ClassVar[Mapping[type, Writer]] = {}

    def compile(self, workspace: Workspace, definitions: Sequence[Definition], lower: Mapping[str, Any]) -> None:
        return None

    def hears(self, part: Any, kind: str, name: str) -> bool:
        return True

    def fold(self, moment: Moment, scope: Scope) -> None:
        if moment.type == "identify" or moment.name == "traits_updated":
            said = moment.properties
            scope.record["profiles"].traits.update(said["traits"] if moment.name == "traits_updated" else said)
            scope.emit("profile_updated", {"traits": scope.record["profiles"].traits})

    def wake(self, scope: Scope) -> None: ...

    def absorb(self, other: Section, scope: Scope) -> None: ...


class Answers:
    """Answers to rules: false until a test says since when they are true."""

    def __init__(self) -> None:
        self.since: dict[str, int | Callable[[Scope], bool]] = {}

    def true(self, rule: dict[str, Any], since: int | Callable[[Scope], bool] = 0) -> None:
        self.since[rule_key(rule)] = since

    def false(self, rule: dict[str, Any]) -> None:
        self.since.pop(rule_key(rule), None)

    def holds(self, scope: Scope, key: str) -> bool:
        since = self.since.get(key)
        return since(scope) if callable(since) else since is not None and since <= scope.now

    def is_ready(self, scope: Scope, key: str) -> bool:
        return True

    def next_change(self, scope: Scope, key: str) -> int:
        since = self.since.get(key)
        return since if isinstance(since, int) and since > scope.now else 0


class Ear:
    """Hears what runs ask to be said."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, SendRequest]] = []
        self.cancelled: list[str] = []

    def request(self, scope: Scope, wanted: SendRequest) -> str:
        self.asked.append((scope.now, wanted))
        return "msg"

    def cancel(self, scope: Scope, run: str) -> None:
        self.cancelled.append(run)


class World:
    """One customer in one workspace whose clock a test moves."""

    def __init__(self) -> None:
        self.workspace = Workspace(1, "test", "test", "UTC", "EUR", "opt_out")
        self.rules, self.ear = Answers(), Ear()
        self.slice = JourneySlice(self.rules, self.ear)
        self.folder = Folder([Traits(), self.slice], Everyone(), frozenset({"profiles"}))
        self.definitions: list[Definition] = []
        self.effects = Effects()
        self.program: dict[str, Any] = {}
        self.now = START
        self.sent = 0
        self.set_profile("ada")
        self._compile()

    def set_profile(self, name: str) -> None:
        """Turn to another customer; nothing is kept of the one before."""
        self.record = Record(
            ids.profile_id(1, "user", name), 0, {"profiles": Profile(), "journeys": Journeys()}, is_new=True
        )

    def publish(self, name: str, document: dict[str, Any] | None = None, status: str = "active") -> None:
        """A new version, or with no document another status of the newest."""
        versions = [each for each in self.definitions if each.name == name and each.kind == "journey"]
        version = len({each.version for each in versions}) + 1 if document is not None else versions[-1].version
        body = document if document is not None else versions[-1].body
        introduced = len(self.definitions) + 1
        self.definitions.append(Definition("journey", name, version, status, body, introduced, None, self.now))
        self._compile()
        if document is None or {"schedule", "anniversary"} & document["entry"]["on"].keys():
            self._sweep()

    def migrate(self, name: str, document: dict[str, Any], steps: dict[str, str]) -> None:
        """Publish a new version and move the runs that stand at the steps named."""
        self.publish(name, document)
        moved = {"version": len({each.version for each in self.definitions if each.name == name}), "steps": steps}
        introduced = len(self.definitions) + 1
        self.definitions.append(Definition("migration", name, 1, "active", moved, introduced, None, self.now))
        self._compile()
        self._sweep()

    def _compile(self) -> None:
        self.program = {"journeys": self.slice.compile(self.workspace, self.definitions, {})}

    def _sweep(self) -> None:
        """Wake the record, as the engine does when a journey is resumed or stopped."""
        self.skip_to(self.now)
        self.record["journeys"].wake_at = self.now
        self.folder.set_wake(self.record)
        self.folder.fire(self._scope(), self.now, 1)

    def _scope(self) -> Scope:
        scope = Scope(self.workspace, self.program, self.effects)
        scope.record = self.record
        return scope

    def event(self, event: str, *, type: str = "track", dated: int | None = None, flags: int = 0, **said: Any) -> None:  # noqa: A002
        """Something happens now (or is told now, `dated` earlier)."""
        self.sent += 1
        self.record.created_at = self.record.created_at or self.now
        timestamp = self.now if dated is None else dated
        item = Item(
            self.record.id, f"m{self.sent}", type, event, timestamp, exact_json.encode(said), b"", flags=flags
        )  # fmt: skip
        self.folder.advance(Moment(item, self.now, 1), self._scope())

    def pass_time(self, duration: str) -> None:
        self.go_to(clock.after(self.now, clock.duration(duration), "UTC"))

    def go_to(self, instant: int) -> None:
        """Timers up to and including the instant fire, each at its own."""
        self.folder.fire(self._scope(), instant, 1)
        self.now = instant

    def skip_to(self, instant: int) -> None:
        """Let time pass without its last instant's timers, as when an event arrives at that very instant."""
        self.folder.fire(self._scope(), instant - 1, 1)
        self.now = instant

    @property
    def open(self) -> list[Run]:
        return self.record["journeys"].open

    def facts(self, name: str) -> list[dict[str, Any]]:
        return [exact_json.decode(fact.properties) for _, fact, _ in self.effects.facts if fact.name == name]

    @property
    def steps(self) -> list[str]:
        """Steps arrived at, in order."""
        return [fact["step"] for fact in self.facts("journey_step")]

    @property
    def reasons(self) -> list[str]:
        return [fact["reason"] for fact in self.facts("journey_exited")]

    @property
    def sends(self) -> list[tuple[int, str]]:
        return [(at, wanted.template) for at, wanted in self.ear.asked]

    def counted(self, journey: str) -> dict[str, int]:
        prefix = f"journey:{journey}:"
        counts = self.effects.counts.items()
        return {name.removeprefix(prefix): value for name, value in counts if name.startswith(prefix) and value}


@pytest.fixture
def world() -> World:
    return World()

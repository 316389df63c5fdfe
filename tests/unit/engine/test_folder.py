"""One step of one record: facts reach whom they should, and a join is told only when it is whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest

from kizuna.core.clock import DAY
from kizuna.engine.folder import StuckError
from kizuna.engine.moment import Moment
from kizuna.engine.slice import Definition, Scope, Section, Workspace, Writer
from kizuna.testing.world import World


class Tally(Section):
    """How often it heard a track, of all records joined here."""

    heard: int = 0


class Counting:
    """Counts tracks; notes what its count was whenever it hears a fact."""

    name: ClassVar[str] = "segments"
    section: ClassVar[type[Section]] = Tally
    writers: ClassVar[Mapping[type, Writer]] = {}

    def __init__(self) -> None:
        self.said: list[tuple[str, int]] = []

    def compile(self, workspace: Workspace, definitions: Sequence[Definition], lower: Mapping[str, Any]) -> None:
        return None

    def hears(self, part: Any, kind: str, name: str) -> bool:
        return True

    def fold(self, moment: Moment, scope: Scope) -> None:
        tally: Tally = scope.record["segments"]
        if moment.type == "fact":
            self.said.append((moment.name, tally.heard))
        elif moment.type == "track":
            tally.heard += 1
            scope.record.touch("segments")
            if moment.name == "Loop":
                scope.emit("looped", {})

    def wake(self, scope: Scope) -> None:
        scope.record["segments"].wake_at = 0

    def absorb(self, other: Section, scope: Scope) -> None:
        scope.record["segments"].heard += other.heard  # type: ignore[attr-defined]
        scope.record.touch("segments")


class Echo(Counting):
    """Says a fact about every fact of its own."""

    def fold(self, moment: Moment, scope: Scope) -> None:
        super().fold(moment, scope)
        if moment.name == "looped":
            scope.emit("looped", {})


def test_a_join_is_heard_when_every_slice_has_taken_its_part() -> None:
    counting = Counting()
    world = World([counting])
    world.say("track", anon="a1", name="Viewed", at=10)
    world.say("track", anon="a1", name="Viewed", at=11)
    world.say("identify", user="ada", anon="a1", at=20)
    counting.said.clear()
    world.settle()
    assert counting.said[0] == ("profile_merged", 2)


def test_a_record_made_in_this_very_batch_is_handed_over_whole() -> None:
    world = World([Counting()])
    world.say("track", anon="a1", name="Viewed", at=10)
    world.record(world.id(anon="a1")).is_new = True
    world.say("identify", user="ada", anon="a1", at=20)
    world.settle()
    assert world.record(world.id(user="ada"))["segments"].heard == 1


def test_facts_that_cause_themselves_are_refused() -> None:
    world = World([Echo()])
    world.say("track", user="ada", name="Loop")
    assert world.effects.counts["engine:loops_refused"] == 1


def test_a_timer_before_an_event_fires_at_its_own_instant() -> None:
    world = World()
    world.say("track", user="ada", name="Later", timestamp=2 * DAY, at=DAY)
    world.say("track", user="ada", name="Now", at=3 * DAY)
    assert [(moment.name, moment.at) for moment in world.heard] == [("Later", 2 * DAY), ("Now", 3 * DAY)]


def test_a_fact_carries_what_caused_it() -> None:
    world = World()
    world.say("identify", user="ada", traits={"plan": "gold"})
    assert [(fact.name, fact.caused_by) for fact in world.facts_of(user="ada")] == [("profile_updated", "m1")]


class Ticking(Counting):
    """Wakes again and again, so much later each time."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def fold(self, moment: Moment, scope: Scope) -> None:
        scope.record["segments"].wake_at = moment.at + 1

    def wake(self, scope: Scope) -> None:
        tally: Tally = scope.record["segments"]
        tally.heard += 1
        tally.wake_at = scope.now + self.step


def test_any_number_of_timers_fire_in_one_advance_as_long_as_time_moves() -> None:
    world = World([Ticking(1)])
    world.say("track", user="ada", name="Begun", at=10)
    world.tick(20_010)
    assert world.record(world.id(user="ada"))["segments"].heard == 20_000


def test_timers_that_do_not_move_time_are_refused() -> None:
    world = World([Ticking(0)])
    world.say("track", user="ada", name="Begun", at=10)
    with pytest.raises(StuckError):
        world.tick(12)

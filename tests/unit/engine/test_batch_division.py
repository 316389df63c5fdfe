"""However the log is cut into batches, and whoever folds them, the same comes of it. Found by the simulator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import pytest
from msgspec import Struct, field

from kizuna.core import ids
from kizuna.engine.append import PUBLISH, TICK, Row, rows_of
from kizuna.engine.batch import Publish
from kizuna.engine.engine import Engine
from kizuna.engine.memory import MemoryState
from kizuna.engine.moment import REMEMBERED, Item, Moment
from kizuna.engine.program import Programs
from kizuna.engine.slice import Definition, Scope, Section, Workspace, Writer
from kizuna.folds import new_folder
from kizuna.profiles.fold import ProfileSlice, public

NOW = 1_700_000_000_000_000
LATER = 10  # after an event a diary is woken


class Diary(Section):
    lines: list[str] = field(default_factory=list)
    wakes: list[int] = field(default_factory=list)


class Said(Struct, frozen=True):
    text: str


class Unsaid(Struct, frozen=True):
    text: str


class DiarySlice:
    """Writes down what it hears and when it is woken, under which program; an event asks to be woken later."""

    name: ClassVar[str] = "diary"
    section: ClassVar[type[Section]] = Diary
    writers: ClassVar[Mapping[type, Writer]] = {Said: lambda *_: None, Unsaid: lambda *_: None}

    def compile(self, workspace: Workspace, definitions: Sequence[Definition], lower: Mapping[str, Any]) -> int:
        return lower["version"]

    def hears(self, part: int, kind: str, name: str) -> bool:
        return kind == "track" and name != "Quiet"

    def fold(self, moment: Moment, scope: Scope) -> None:
        diary: Diary = scope.record["diary"]
        if moment.type == "track":
            diary.lines.append(f"{moment.id} at {scope.now - NOW} under {scope.program['diary']}")
            diary.wakes.append(scope.now + LATER)
            self._schedule(diary, scope)
            scope.ask(Unsaid(moment.id) if moment.name == "Unsay" else Said(moment.id))

    def wake(self, scope: Scope) -> None:
        diary: Diary = scope.record["diary"]
        diary.lines.append(f"woken at {scope.now - NOW} under {scope.program['diary']}")
        diary.wakes = [at for at in diary.wakes if at > scope.now]
        self._schedule(diary, scope)

    def absorb(self, other: Section, scope: Scope) -> None:
        pass

    def _schedule(self, diary: Diary, scope: Scope) -> None:
        diary.wake_at = min(diary.wakes, default=0)
        scope.record.touch("diary")


class Shop:
    """One workspace with one partition; rows are appended first and folded by engines of any size."""

    def __init__(self) -> None:
        self.folds = [ProfileSlice(), DiarySlice()]
        self.written: list[tuple[str, str]] = []
        writers = dict.fromkeys(DiarySlice.writers, self._write)
        self.state = MemoryState([part.name for part in self.folds], writers)
        self.kept = self.state.make(Workspace(1, "shop", "test", "UTC", "JPY", "opt_out", 1), NOW)

    def _write(self, workspace: int, effects: Sequence[Any]) -> None:
        self.written += [(type(each).__name__, each.text) for each in effects]

    def say(self, message: str, who: str, at: int, *, name: str = "Said", kind: str = "track", anon: str = "") -> None:
        self.kept.now = NOW + at
        profile = ids.profile_id(1, "user", who)
        item = Item(profile, message, kind, name, NOW + at, b"{}", b"", who, anon, NOW + at)
        self.state.append(1, rows_of([item], 1))

    def tick(self, at: int) -> None:
        self.kept.now = NOW + at
        self.state.append(1, [Row(0, TICK, 0, b"", b"")])

    def publish(self, program: int, at: int, sweep: str = "") -> None:
        self.kept.now = NOW + at
        self.state.append(1, [Row(0, PUBLISH, 0, b"", msgspec.msgpack.encode(Publish(program, sweep)))])

    def engine(self, *, rows: int = 64, items: int = 4000, cached: int = 100) -> Engine:
        engine = Engine(
            new_folder(self.folds), Programs(self.folds, 1), public, rows=rows, items=items, cached=cached,
            state_of=lambda state, _: state,
        )  # fmt: skip
        engine.own(self.state, [0])
        return engine

    def fold(self, engine: Engine) -> None:
        while engine.run(self.state):
            pass

    def diary(self, who: str) -> list[str] | None:
        raw = self.kept.records[ids.profile_id(1, "user", who)].sections[1]
        return msgspec.msgpack.decode(raw, type=Diary).lines if raw else None


SIZES = pytest.mark.parametrize(("rows", "items"), [(64, 4000), (1, 4000), (64, 1), (2, 2)])


@SIZES
def test_a_timer_due_with_an_earlier_row_comes_before_an_event_of_the_same_instant(rows: int, items: int) -> None:
    shop = Shop()
    shop.say("m1", "ada", 0)
    shop.tick(LATER)
    shop.say("m2", "ada", LATER)
    shop.fold(shop.engine(rows=rows, items=items))
    assert shop.diary("ada") == ["m1 at 0 under 0", "woken at 10 under 0", "m2 at 10 under 0"]


@SIZES
def test_an_event_comes_before_a_timer_of_its_instant_however_many_are_due(rows: int, items: int) -> None:
    shop = Shop()
    for who in ("ada", "bo", "cy", "di"):
        shop.say(f"{who} 1", who, 0)
    shop.fold(shop.engine())
    for who in ("di", "cy"):
        shop.say(f"{who} 2", who, LATER)
    shop.fold(shop.engine(rows=rows, items=items))
    # cy's timer was due with the row of di, which came first
    assert shop.diary("di") == ["di 1 at 0 under 0", "di 2 at 10 under 0", "woken at 10 under 0"]
    assert shop.diary("cy") == ["cy 1 at 0 under 0", "woken at 10 under 0", "cy 2 at 10 under 0"]
    assert shop.diary("ada") == ["ada 1 at 0 under 0", "woken at 10 under 0"]


@SIZES
def test_what_is_due_by_a_publish_happens_under_the_old_program(rows: int, items: int) -> None:
    shop = Shop()
    shop.say("m1", "ada", 0)
    shop.say("m2", "bo", 5)
    shop.publish(1, LATER)
    shop.tick(20)
    shop.fold(shop.engine(rows=rows, items=items))
    assert shop.diary("ada") == ["m1 at 0 under 0", "woken at 10 under 0"]
    assert shop.diary("bo") == ["m2 at 5 under 0", "woken at 15 under 1"]


@SIZES
def test_a_timer_set_and_passed_within_one_batch_fires_in_it(rows: int, items: int) -> None:
    shop = Shop()
    shop.say("m1", "ada", 0)
    shop.say("m2", "bo", 30)
    shop.fold(shop.engine(rows=rows, items=items))
    assert shop.diary("ada") == ["m1 at 0 under 0", "woken at 10 under 0"]


@SIZES
def test_a_publish_wakes_those_who_came_in_its_own_batch(rows: int, items: int) -> None:
    shop = Shop()
    shop.say("m1", "ada", 0)
    shop.publish(1, 5, sweep="diary")
    shop.fold(shop.engine(rows=rows, items=items))
    assert shop.diary("ada") == ["m1 at 0 under 0", "woken at 5 under 1"]


@SIZES
def test_a_publish_wakes_nobody_who_has_nothing_in_that_section(rows: int, items: int) -> None:
    shop = Shop()
    shop.say("m1", "ada", 0, name="Quiet")
    shop.fold(shop.engine())
    shop.say("m2", "ada", 5, name="Quiet")
    shop.publish(1, 5, sweep="diary")
    shop.fold(shop.engine(rows=rows, items=items))
    assert shop.diary("ada") is None


@pytest.mark.parametrize("cached", [100, 0])
def test_one_who_waits_for_an_answer_is_woken_by_a_publish_after_it(cached: int) -> None:
    shop = Shop()
    shop.say("m1", "ada", 0)
    shop.fold(shop.engine())
    shop.say("m2", "ada", 1, kind="identify", name="", anon="a1")
    shop.publish(1, 5, sweep="diary")
    engine = shop.engine(rows=2, cached=cached)
    shop.fold(engine)
    assert shop.diary("ada") == ["m1 at 0 under 0", "woken at 5 under 1"]


@SIZES
def test_a_message_id_said_again_after_90_days_counts_again_in_any_batch(rows: int, items: int) -> None:
    shop = Shop()
    shop.say("m1", "ada", 0)
    shop.say("m1", "ada", REMEMBERED - 1)
    shop.say("m1", "ada", REMEMBERED)
    shop.fold(shop.engine(rows=rows, items=items))
    heard = [line for line in shop.diary("ada") or () if line.startswith("m1")]
    assert heard == ["m1 at 0 under 0", f"m1 at {REMEMBERED} under 0"]
    assert shop.kept.duplicates == {(0, 2, 0)}


def test_an_owner_who_lost_a_partition_unknowingly_forgets_what_it_remembered() -> None:
    shop = Shop()
    old = shop.engine()
    shop.say("m1", "ada", 0)
    shop.fold(old)
    shop.say("m2", "ada", 1)
    shop.fold(shop.engine())
    shop.say("m3", "ada", 2)
    shop.fold(old)
    assert shop.diary("ada") == ["m1 at 0 under 0", "m2 at 1 under 0", "m3 at 2 under 0"]


def test_effects_are_written_in_the_order_in_which_slices_list_them() -> None:
    shop = Shop()
    shop.say("m1", "ada", 0, name="Unsay")
    shop.say("m2", "ada", 1)
    shop.say("m3", "ada", 2, name="Unsay")
    shop.fold(shop.engine())
    assert shop.written == [("Said", "m2"), ("Unsaid", "m1"), ("Unsaid", "m3")]

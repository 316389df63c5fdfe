"""A parked profile goes on as if the reader had waited for it: same order, same instants, nothing twice."""

from __future__ import annotations

from typing import Any

import msgspec
import psycopg
import pytest

from kizuna.core import clock, ids
from kizuna.engine.append import PUBLISH, TICK, Row, append_rows
from kizuna.engine.batch import Publish
from kizuna.engine.engine import Engine
from kizuna.engine.moment import RESUME, Item, Moment
from kizuna.engine.program import Programs
from kizuna.engine.slice import Scope
from kizuna.folds import new_folder
from kizuna.profiles.fold import ProfileSlice, public
from kizuna.testing.tenant import PARTITIONS, an_item, append, make_workspace

from .test_engine import Counting, Tally, drain, tallies

Connection = psycopg.Connection[Any]


class Choosy(Counting):
    """Chokes until it is cured."""

    def __init__(self, *, is_cured: bool = False) -> None:
        self.is_cured = is_cured

    def fold(self, moment: Moment, scope: Scope) -> None:
        if moment.name == "Poison" and not self.is_cured:
            raise ValueError("cannot be folded")
        if moment.type == "track":
            tally: Tally = scope.record["messages"]
            tally.heard = 10 * tally.heard + int(moment.id.removeprefix("m"))  # the order, as digits
            tally.wake_at = moment.timestamp + clock.DAY
            scope.record.touch("messages")
            scope.count("heard")


@pytest.fixture
def choosy() -> Choosy:
    return Choosy()


def an_engine(connection: Connection, choosy: Choosy) -> Engine:
    folds: Any = [ProfileSlice(), choosy]
    engine = Engine(new_folder(folds), Programs(folds, PARTITIONS), public)
    engine.own(connection, range(PARTITIONS))
    return engine


def resume(connection: Connection, workspace: int, user: str, number: int = 0) -> None:
    append(connection, workspace, [Item(ids.profile_id(workspace, "user", user), f"evt_{number}", RESUME)])


def parked(connection: Connection) -> list[Any]:
    found = connection.execute('SELECT error FROM parked ORDER BY "offset", index').fetchall()
    connection.commit()
    return [row[0] for row in found]


def to(connection: Connection, day: int) -> int:
    connection.execute("UPDATE workspace SET now = %s", [day * clock.DAY])
    return day * clock.DAY


def live(connection: Connection, choosy: Choosy, *, cures: bool) -> Tally:
    """Some days of a customer who sends what cannot be folded on the third; a resume on the ninth."""
    name = f"cured {choosy.is_cured}"
    workspace = make_workspace(connection, name, now=clock.DAY)
    engine = an_engine(connection, choosy)
    for day, number, event in ((1, 1, "Viewed"), (3, 2, "Poison"), (5, 3, "Viewed"), (7, 4, "Viewed")):
        at = to(connection, day)
        append(connection, workspace, [an_item(workspace, f"m{number}", user="ada", name=event, at=at)])
        drain(engine, connection)
    at = to(connection, 9)
    if cures:
        assert len(parked(connection)) == 3
        choosy.is_cured = True
        resume(connection, workspace, "ada")
    append(connection, workspace, [an_item(workspace, "m5", user="ada", at=at)])
    drain(engine, connection)
    at = to(connection, 11)
    append(connection, workspace, [an_item(workspace, "m6", user="ada", at=at)])
    drain(engine, connection)
    assert parked(connection) == []
    return tallies(connection, workspace)["ada"]


def test_it_ends_as_one_that_was_never_parked(connection: Connection, choosy: Choosy) -> None:
    late = live(connection, choosy, cures=True)
    never = live(connection, Choosy(is_cured=True), cures=False)
    assert late == never
    assert late.heard == 123456
    assert late.woken == [day * clock.DAY for day in (2, 4, 6, 8, 10)]


def test_what_follows_the_resume_in_one_batch_is_folded_after_it(connection: Connection, choosy: Choosy) -> None:
    workspace = make_workspace(connection)
    engine = an_engine(connection, choosy)
    append(connection, workspace, [an_item(workspace, "m1", user="ada", name="Poison")])
    drain(engine, connection)
    append(connection, workspace, [an_item(workspace, "m2", user="ada")])  # before the resume, not yet read
    resume(connection, workspace, "ada")
    append(connection, workspace, [an_item(workspace, "m3", user="ada"), an_item(workspace, "m1", user="ada")])
    choosy.is_cured = True
    drain(engine, connection)
    assert tallies(connection, workspace)["ada"].heard == 123
    assert parked(connection) == []
    assert connection.execute("SELECT sum(value)::int FROM counter WHERE name = 'heard'").fetchone() == (3,)


def test_one_that_still_cannot_be_folded_stays_with_its_newest_reason(connection: Connection, choosy: Choosy) -> None:
    workspace = make_workspace(connection)
    engine = an_engine(connection, choosy)
    items = [an_item(workspace, "m1", user="ada", name="Poison"), an_item(workspace, "m2", user="ada")]
    append(connection, workspace, items)
    drain(engine, connection)
    resume(connection, workspace, "ada", 1)
    append(connection, workspace, [an_item(workspace, "m3", user="ada"), an_item(workspace, "m9", user="grace")])
    drain(engine, connection)
    assert [error.startswith("ValueError") for error in parked(connection)] == [True] * 4  # the resume itself is third
    assert tallies(connection, workspace)["grace"].heard == 9
    append(connection, workspace, [an_item(workspace, "m4", user="ada")])
    drain(engine, connection)
    choosy.is_cured = True
    resume(connection, workspace, "ada", 2)
    drain(an_engine(connection, choosy), connection)  # another worker, that learned of it from the table
    assert tallies(connection, workspace)["ada"].heard == 1234
    assert parked(connection) == []


def test_a_resume_of_one_that_is_not_parked_does_nothing(connection: Connection, choosy: Choosy) -> None:
    workspace = make_workspace(connection)
    engine = an_engine(connection, choosy)
    append(connection, workspace, [an_item(workspace, "m1", user="ada")])
    resume(connection, workspace, "ada")
    resume(connection, workspace, "nobody")
    drain(engine, connection)
    assert connection.execute("SELECT count(*) FROM profile").fetchone() == (1,)
    assert tallies(connection, workspace)["ada"].heard == 1


def test_a_crash_in_the_resume_folds_it_once(
    connection: Connection, choosy: Choosy, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_workspace(connection)
    engine = an_engine(connection, choosy)
    append(connection, workspace, [an_item(workspace, "m1", user="ada", name="Poison")])
    drain(engine, connection)
    choosy.is_cured = True
    resume(connection, workspace, "ada")

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("kizuna.engine.store.finish", die)
        engine.run(connection)
    assert len(parked(connection)) == 1
    drain(engine, connection)  # the same worker goes on
    assert tallies(connection, workspace)["ada"].heard == 1


SWEEP = msgspec.msgpack.encode(Publish(0, "messages"))  # what a publish leaves that must reach everybody at once


def row(connection: Connection, workspace: int, kind: int, body: bytes = b"") -> None:
    """A row of ada's partition that says nothing to anybody by name."""
    partition = ids.partition_of(ids.profile_id(workspace, "user", "ada"), PARTITIONS)
    for statement in append_rows(workspace, [Row(partition, kind, 0, b"", body)]):
        connection.execute(*statement)
    connection.commit()


class Restless(Choosy):
    """Chokes when it is woken, until it is cured."""

    def wake(self, scope: Scope) -> None:
        if not self.is_cured:
            raise ValueError("cannot be woken\0")
        super().wake(scope)


def test_one_whose_timer_cannot_be_folded_is_listed_and_goes_on_from_there(connection: Connection) -> None:
    workspace, choosy = make_workspace(connection, now=clock.DAY), Restless()
    append(connection, workspace, [an_item(workspace, "m1", user="ada", at=clock.DAY)])
    drain(an_engine(connection, choosy), connection)
    for day in (2, 4):
        to(connection, day)
        row(connection, workspace, TICK)
        drain(an_engine(connection, choosy), connection)
        assert parked(connection) == ["ValueError: cannot be woken\\0"], "it is neither seen nor ever woken again"
    append(connection, workspace, [an_item(workspace, "m2", user="ada", at=to(connection, 5))])
    drain(an_engine(connection, choosy), connection)
    assert len(parked(connection)) == 2
    choosy.is_cured = True
    resume(connection, workspace, "ada")
    drain(an_engine(connection, choosy), connection)
    tally = tallies(connection, workspace)["ada"]
    assert (tally.heard, tally.woken) == (12, [2 * clock.DAY])
    assert parked(connection) == []


def test_a_sweep_reaches_who_was_made_in_the_same_batch(connection: Connection, choosy: Choosy) -> None:
    workspace = make_workspace(connection, now=clock.DAY)
    append(connection, workspace, [an_item(workspace, "m1", user="ada", at=clock.DAY)])
    row(connection, workspace, PUBLISH, SWEEP)
    drain(an_engine(connection, choosy), connection)
    assert tallies(connection, workspace)["ada"].woken == [clock.DAY]


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_sweep_reaches_who_was_parked_once_it_goes_on(
    connection: Connection, choosy: Choosy, *, is_restarted: bool
) -> None:
    workspace = make_workspace(connection, now=clock.DAY)
    engine = an_engine(connection, choosy)
    append(connection, workspace, [an_item(workspace, "m1", user="ada", at=clock.DAY)])
    drain(engine, connection)
    poison = an_item(workspace, "m2", user="ada", name="Poison", kind="page", at=to(connection, 3))
    append(connection, workspace, [poison])
    drain(engine, connection)
    to(connection, 5)
    row(connection, workspace, PUBLISH, SWEEP)
    drain(engine, connection)
    choosy.is_cured = True
    to(connection, 6)
    resume(connection, workspace, "ada")
    drain(an_engine(connection, choosy) if is_restarted else engine, connection)
    assert tallies(connection, workspace)["ada"].woken == [2 * clock.DAY]


def test_a_sweep_outlives_the_worker_that_could_not_wake_one(connection: Connection, choosy: Choosy) -> None:
    workspace = make_workspace(connection, now=clock.DAY)
    append(connection, workspace, [an_item(workspace, "m1", user="ada", at=clock.DAY)])
    to(connection, 2)
    row(connection, workspace, TICK)
    drain(an_engine(connection, choosy), connection)
    poison = an_item(workspace, "m2", user="ada", name="Poison", kind="page", at=to(connection, 3))
    append(connection, workspace, [poison])
    to(connection, 5)
    row(connection, workspace, PUBLISH, SWEEP)
    drain(an_engine(connection, choosy), connection)
    choosy.is_cured = True
    to(connection, 6)
    resume(connection, workspace, "ada")
    drain(an_engine(connection, choosy), connection)
    assert tallies(connection, workspace)["ada"].woken == [2 * clock.DAY, 5 * clock.DAY]

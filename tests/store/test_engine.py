"""The engine on real PostgreSQL: exactly once over crashes, duplicates, several workers and poison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import psycopg
import pytest
from msgspec import field

from kizuna.core import clock, ids
from kizuna.engine import store
from kizuna.engine.append import TICK, Row, append_rows
from kizuna.engine.batch import Batch
from kizuna.engine.engine import Engine
from kizuna.engine.moment import Moment
from kizuna.engine.program import Programs
from kizuna.engine.slice import Definition, Scope, Section, Workspace, Writer
from kizuna.engine.state import FencedError
from kizuna.folds import new_folder
from kizuna.profiles.fold import ProfileSlice, public
from kizuna.runtime.database import connect
from kizuna.testing.tenant import PARTITIONS, an_item, append, make_workspace


class Tally(Section):
    """Counts what it heard; the column of `messages` stands in for one of its own."""

    heard: int = 0
    woken: list[int] = field(default_factory=list)


class Counting:
    """A slice that counts tracks, wakes a day after each, and chokes on one event."""

    name: ClassVar[str] = "messages"
    section: ClassVar[type[Section]] = Tally
    writers: ClassVar[Mapping[type, Writer]] = {}

    def compile(self, workspace: Workspace, definitions: Sequence[Definition], lower: Mapping[str, Any]) -> None:
        return None

    def hears(self, part: Any, kind: str, name: str) -> bool:
        return True

    def fold(self, moment: Moment, scope: Scope) -> None:
        if moment.type == "track":
            if moment.name == "Poison":
                raise ValueError("cannot be folded")
            tally: Tally = scope.record["messages"]
            tally.heard += 1
            tally.wake_at = moment.timestamp + clock.DAY
            scope.record.touch("messages")
            scope.count("heard")

    def wake(self, scope: Scope) -> None:
        tally: Tally = scope.record["messages"]
        tally.woken.append(scope.now)
        tally.wake_at = 0
        scope.record.touch("messages")

    def absorb(self, other: Section, scope: Scope) -> None:
        pass


def an_engine(connection: psycopg.Connection[Any], partitions: Sequence[int] = range(PARTITIONS)) -> Engine:
    folds = [ProfileSlice(), Counting()]
    engine = Engine(new_folder(folds), Programs(folds, PARTITIONS), public)
    engine.own(connection, partitions)
    return engine


def drain(engine: Engine, connection: psycopg.Connection[Any]) -> None:
    while engine.run(connection):
        pass


def tallies(connection: psycopg.Connection[Any], workspace: int) -> dict[str, Tally]:
    rows = connection.execute("SELECT profiles, messages FROM profile WHERE workspace = %s", [workspace]).fetchall()
    connection.commit()
    found = {}
    for profile, tally in rows:
        who = msgspec.msgpack.decode(profile, type=ProfileSlice.section)
        found[who.user_id] = msgspec.msgpack.decode(tally, type=Tally) if tally else Tally()  # type: ignore[attr-defined]
    return found


def test_duplicates_count_once_within_and_across_batches(connection: psycopg.Connection[Any]) -> None:
    workspace = make_workspace(connection)
    engine = an_engine(connection)
    append(connection, workspace, [an_item(workspace, "m1", user="ada"), an_item(workspace, "m1", user="ada")])
    drain(engine, connection)
    append(connection, workspace, [an_item(workspace, "m1", user="ada"), an_item(workspace, "m2", user="ada")])
    drain(an_engine(connection), connection)
    assert tallies(connection, workspace)["ada"].heard == 2
    assert connection.execute("SELECT count(*) FROM duplicate").fetchone() == (2,)


def test_a_message_id_counts_again_after_90_days_and_not_before(connection: psycopg.Connection[Any]) -> None:
    workspace = make_workspace(connection, now=clock.DAY)
    engine = an_engine(connection)
    for day, heard in ((1, 1), (90, 1), (91, 2), (92, 2)):
        connection.execute("UPDATE workspace SET now = %s WHERE id = %s", [day * clock.DAY, workspace])
        append(connection, workspace, [an_item(workspace, "m1", user="ada", at=day * clock.DAY)])
        drain(engine, connection)
        assert tallies(connection, workspace)["ada"].heard == heard, day


@pytest.mark.parametrize("instant", ["write", "commit", "keep"])
def test_a_crash_at_any_instant_of_a_batch_applies_it_once(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, database_url: str, instant: str
) -> None:
    workspace = make_workspace(connection)
    append(connection, workspace, [an_item(workspace, f"m{n}", user=f"u{n % 5}") for n in range(50)])
    with connect(database_url) as own:
        engine = an_engine(own)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            if instant == "commit":
                patch.setattr(store, "finish", dies(store.finish))
            else:
                patch.setattr(Batch, instant, dies(getattr(Batch, instant)))
            engine.run(own)
    drain(an_engine(connection), connection)
    assert {who: tally.heard for who, tally in tallies(connection, workspace).items()} == {
        f"u{n}": 10 for n in range(5)
    }
    assert connection.execute("SELECT sum(value)::int FROM counter WHERE name = 'heard'").fetchone() == (50,)


def dies(before: Any) -> Any:
    def die(*given: Any, **named: Any) -> None:
        before(*given, **named)
        raise KeyboardInterrupt

    return die


def test_a_second_owner_fences_the_first(connection: psycopg.Connection[Any], database_url: str) -> None:
    workspace = make_workspace(connection)
    slow = an_engine(connection)
    append(connection, workspace, [an_item(workspace, "m1", user="ada")])
    with connection.cursor(binary=True) as cursor:
        stale = store.pending_heads(cursor, range(PARTITIONS))
    connection.commit()
    with connect(database_url) as other:
        drain(an_engine(other), other)
    with pytest.raises(FencedError):
        slow.run_workspace(connection, workspace, stale)
    assert tallies(connection, workspace)["ada"].heard == 1


def test_a_fenced_owner_leaves_nothing_and_goes_on_with_its_connection(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    workspace = make_workspace(connection)
    slow = an_engine(connection)
    append(connection, workspace, [an_item(workspace, "m1", user="ada")])
    with connection.cursor(binary=True) as cursor:
        stale = store.pending_heads(cursor, range(PARTITIONS))
    connection.commit()
    connection.execute("UPDATE log_head SET batch = batch + 1 WHERE workspace = %s", [workspace])
    connection.commit()
    with pytest.raises(FencedError):
        slow.run_workspace(connection, workspace, stale)
    with connect(database_url) as other:
        assert other.execute("SELECT count(*) FROM profile").fetchone() == (0,)
    drain(an_engine(connection), connection)
    assert tallies(connection, workspace)["ada"].heard == 1


def test_an_owner_who_would_write_what_another_wrote_is_fenced_too(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    workspace = make_workspace(connection)
    slow = an_engine(connection)
    append(connection, workspace, [an_item(workspace, "m1", user="ada"), an_item(workspace, "m1", user="ada")])
    with connection.cursor(binary=True) as cursor:
        stale = store.pending_heads(cursor, range(PARTITIONS))
    connection.commit()
    with connect(database_url) as other:
        drain(an_engine(other), other)
    with pytest.raises(FencedError):  # the duplicate is noted already: the table refuses it before the fence does
        slow.run_workspace(connection, workspace, stale)
    assert slow.parked == set()


def test_poison_is_parked_with_what_comes_after_it_and_costs_no_neighbour(
    connection: psycopg.Connection[Any],
) -> None:
    workspace = make_workspace(connection)
    engine = an_engine(connection)
    people = [an_item(workspace, f"m{n}", user=f"u{n}") for n in range(20)]
    append(connection, workspace, [*people, an_item(workspace, "bad", user="u3", name="Poison")])
    drain(engine, connection)
    append(connection, workspace, [an_item(workspace, "after", user="u3"), an_item(workspace, "fine", user="u4")])
    drain(engine, connection)
    heard = {who: tally.heard for who, tally in tallies(connection, workspace).items()}
    assert heard == {f"u{n}": 1 for n in range(20) if n not in (3, 4)} | {"u4": 2}
    parked = connection.execute('SELECT error FROM parked ORDER BY "offset", index').fetchall()
    assert len(parked) == 3
    assert "cannot be folded" in parked[0][0]


def test_what_the_database_refuses_is_found_and_parked(connection: psycopg.Connection[Any]) -> None:
    workspace = make_workspace(connection)
    engine = an_engine(connection)
    connection.execute("ALTER TABLE profile ADD CONSTRAINT odd CHECK (NOT traits ? 'odd')")
    people = [an_item(workspace, f"m{n}", user=f"u{n}") for n in range(30)]
    odd = [
        an_item(workspace, f"odd{n}", user=f"u{n}", kind="identify", name="", properties={"odd": True}) for n in (7, 21)
    ]
    append(connection, workspace, [*people, *odd])
    drain(engine, connection)
    heard = {who: tally.heard for who, tally in tallies(connection, workspace).items()}
    assert heard == {f"u{n}": 1 for n in range(30) if n not in (7, 21)}
    assert connection.execute("SELECT count(DISTINCT profile), count(*) FROM parked").fetchone() == (2, 4)


def test_timers_fire_at_their_own_instant_before_the_row_that_passes_them(
    connection: psycopg.Connection[Any],
) -> None:
    workspace = make_workspace(connection, now=clock.DAY)
    engine = an_engine(connection)
    append(connection, workspace, [an_item(workspace, "m1", user="ada", at=clock.DAY)])
    drain(engine, connection)
    connection.execute("UPDATE workspace SET now = %s WHERE id = %s", [9 * clock.DAY, workspace])
    append(connection, workspace, [an_item(workspace, "m2", user="ada", at=9 * clock.DAY)])
    drain(engine, connection)
    assert tallies(connection, workspace)["ada"].woken == [2 * clock.DAY]


def test_a_timer_set_and_passed_within_one_batch_fires_in_it(connection: psycopg.Connection[Any]) -> None:
    workspace = make_workspace(connection, now=clock.DAY)
    append(connection, workspace, [an_item(workspace, "m1", user="ada", at=clock.DAY)])
    connection.execute("UPDATE workspace SET now = %s WHERE id = %s", [9 * clock.DAY, workspace])
    for statement in append_rows(workspace, [Row(partition, TICK, 0, b"", b"") for partition in range(PARTITIONS)]):
        connection.execute(*statement)
    connection.commit()
    drain(an_engine(connection), connection)
    assert tallies(connection, workspace)["ada"].woken == [2 * clock.DAY]


def test_more_timers_than_a_batch_holds_keep_their_order_with_rows_and_nothing_stalls(
    connection: psycopg.Connection[Any],
) -> None:
    """An event waits in the log before timers that fill whole batches; another after them, and then a tick."""
    workspace = make_workspace(connection, now=clock.DAY)
    engine = an_engine(connection)
    crowd = [f"u{n}" for n in range(3_000) if partition_of(workspace, f"u{n}") == 7][:30]
    first, last, *crowd = crowd
    append(connection, workspace, [an_item(workspace, who, user=who, at=clock.DAY) for who in crowd])
    drain(engine, connection)
    for who, at in ((first, clock.DAY + 1), (last, 2 * clock.DAY + 1)):
        connection.execute("UPDATE workspace SET now = %s WHERE id = %s", [at, workspace])
        append(connection, workspace, [an_item(workspace, who, user=who, at=at)])
    engine = an_engine(connection)
    engine.items = 4
    for _ in range(40):
        engine.run(connection)
    assert not engine.run(connection), "a batch that moves nothing is repeated for ever"
    found = tallies(connection, workspace)
    assert [found[who].woken for who in crowd] == [[2 * clock.DAY]] * len(crowd)
    assert (found[first].heard, found[last].heard) == (1, 1)


def partition_of(workspace: int, user: str) -> int:
    return ids.partition_of(ids.profile_id(workspace, "user", user), PARTITIONS)


def test_two_workers_over_half_the_partitions_each_fold_everything_once(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    workspace = make_workspace(connection)
    append(connection, workspace, [an_item(workspace, f"m{n}", user=f"u{n}") for n in range(200)])
    with connect(database_url) as other:
        first, second = an_engine(connection, range(32)), an_engine(other, range(32, 64))
        while first.run(connection) | second.run(other):
            pass
    assert [tally.heard for tally in tallies(connection, workspace).values()] == [1] * 200

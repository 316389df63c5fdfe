"""The archiver against a real PostgreSQL and real Delta files."""

from __future__ import annotations

import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from kizuna.core import ids
from kizuna.core.clock import DAY
from kizuna.engine.moment import Item
from kizuna.runtime import archiver as archiving
from kizuna.runtime import log_reader
from kizuna.runtime.archiver import Archiver
from kizuna.runtime.database import connect
from kizuna.runtime.lake import tidy
from kizuna.runtime.lake.query import Lake
from kizuna.runtime.lake.said import LogRow, Said
from kizuna.runtime.lake.tables import Writer, offset_in

from .lake_builder import START, History, Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "data 絆")


@pytest.fixture
def history(database_url: str) -> Any:
    with connect(database_url, autocommit=True) as connection:
        yield History(connection)


def archived(lake: Lake, history: History) -> list[tuple[Any, ...]]:
    """The events in the files alone, whatever the log still has."""
    snapshot = lake.snapshot_sync(history.connection, history.workspace)
    assert snapshot.tail_events.num_rows == 0
    return lake.ask(snapshot, 'SELECT partition, "offset", "index", id FROM events ORDER BY 1, 2, 3')


def an_item(number: int, profile: str = "ada", **given: Any) -> Item:
    fields: dict[str, Any] = {"type": "track", "name": "App Opened", "timestamp": START + number}
    return Item(profile=ids.profile_id(1, "user", profile), id=f"e{number}", **(fields | given))


def test_items_in_the_log_and_in_the_lake_have_the_same_shape() -> None:
    told = [(f.name, f.type, f.default) for f in msgspec.structs.fields(Item)]
    assert told == [(f.name, f.type, f.default) for f in msgspec.structs.fields(Said)]


def test_all_that_is_folded_is_archived_once(history: History, place: Place) -> None:
    for number in range(300):
        history.say([an_item(number, profile=f"p{number % 17}")])
    archiver = Archiver(place, history.connection)
    assert archiver.turn()
    assert not archiver.turn()
    found = archived(Lake(place), history)
    assert sorted(row[3] for row in found) == sorted(f"e{n}" for n in range(300))
    assert history.column("archived") == history.column('"offset"')


def test_rows_not_folded_yet_wait(history: History, place: Place) -> None:
    history.say([an_item(1)])
    history.say([an_item(2)], folded=False)
    Archiver(place, history.connection).turn()
    assert [row[3] for row in archived(Lake(place), history)] == ["e1"]


def test_duplicates_and_internal_items_are_left_out(history: History, place: Place) -> None:
    history.say([an_item(1), an_item(1), an_item(2, type="absorb"), an_item(3, type="forward"), an_item(4)])
    history.duplicate(index=1)
    Archiver(place, history.connection).turn()
    assert [row[2:] for row in archived(Lake(place), history)] == [(0, "e1"), (4, "e4")]


def test_an_archiver_killed_between_its_commits_writes_nothing_twice(history: History, place: Place) -> None:
    fact = Item(ids.profile_id(1, "user", "ada"), "f1", "fact", "profile_updated", START, b'{"traits": {"a": 1}}')
    history.say([an_item(1), fact])
    killed = Archiver(place, history.connection)
    folded = killed.pending()[history.workspace]
    reach = killed.read(history.workspace, folded)
    killed.writer(history.workspace).append(reach.rows, reach.offsets)  # dies here: PostgreSQL heard nothing

    again = Archiver(place, history.connection)
    assert again.pending()
    again.turn()
    assert not again.pending()
    assert [row[3] for row in archived(Lake(place), history)] == ["e1"]


def test_one_killed_after_profiles_and_before_events_repeats_only_events(history: History, place: Place) -> None:
    fact = Item(ids.profile_id(1, "user", "ada"), "f1", "fact", "profile_updated", START, b'{"traits": {"a": 1}}')
    history.say([an_item(1), fact])
    killed = Archiver(place, history.connection)
    reach = killed.read(history.workspace, killed.pending()[history.workspace])
    from kizuna.runtime.lake.said import columns_of

    killed.writer(history.workspace)._append_changes(columns_of(reach.rows))

    Archiver(place, history.connection).turn()
    lake = Lake(place)
    assert [row[3] for row in archived(lake, history)] == ["e1"]
    assert history.ask(lake, "SELECT count(*) FROM changes") == [(1,)]


def test_a_second_archiver_fails_instead_of_writing_twice(history: History, place: Place) -> None:
    from deltalake.exceptions import CommitFailedError

    history.say([an_item(1)])
    one, other = (Archiver(place, history.connection) for _ in range(2))
    one.turn()  # so that both know the table
    other.writer(history.workspace)
    history.say([an_item(2)])
    reach = other.read(history.workspace, one.pending()[history.workspace])
    one.turn()
    with pytest.raises(CommitFailedError):
        other.writer(history.workspace).append(reach.rows, reach.offsets)
    assert [row[3] for row in archived(Lake(place), history)] == ["e1", "e2"]


def test_a_long_backlog_goes_in_several_commits(
    history: History, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archiving, "COMMIT_ITEMS", 50)
    monkeypatch.setattr(log_reader, "ROWS_AT_ONCE", 7)
    for number in range(200):
        history.say([an_item(number, profile=f"p{number % 5}")])
    archiver = Archiver(place, history.connection)
    archiver.turn()
    assert archiver.commits[history.workspace] >= 4
    assert len(archived(Lake(place), history)) == 200


def test_ticks_alone_commit_nothing(history: History, place: Place) -> None:
    history.tick()
    archiver = Archiver(place, history.connection)
    archiver.turn()
    assert archiver.commits == {}
    assert not archiver.pending()
    history.say([an_item(1)])
    archiver.turn()
    assert history.column("archived") == history.column('"offset"')


def test_crowded_months_are_compacted_and_nothing_changes(history: History, place: Place) -> None:
    archiver = Archiver(place, history.connection)
    asked_before = Lake(place)
    commits = 2 * archiving.TIDY_AFTER + 2
    for number in range(commits):
        history.say([an_item(number)])
        archiver.turn()
        archived(asked_before, history)
    assert tidy.crowded(archiver.writer(history.workspace).events) == []
    for lake in (asked_before, Lake(place)):
        assert len(lake.snapshot_sync(history.connection, history.workspace).files["events"]) <= 3
        assert [row[3] for row in archived(lake, history)] == [f"e{n}" for n in range(commits)]
    assert (
        offset_in(Writer(place.data / "lake" / str(history.workspace)).events, history.partition_of("ada")) == commits
    )


def test_log_rows_go_seven_days_after_they_were_archived(history: History, place: Place) -> None:
    history.say([an_item(1)])
    archiver = Archiver(place, history.connection)
    archiver.turn()
    assert archiver.mark(history.workspace)
    assert not archiver.mark(history.workspace)
    archiver.drop(history.workspace)
    assert history.count("log") == 1
    history.connection.execute("UPDATE lake_mark SET at = at - %s", [8 * 24 * archiving._HOUR])
    history.say([an_item(2)])
    archiver.turn()
    archiver.drop(history.workspace)
    assert history.count("log") == 1  # the second was not archived seven days ago
    assert [row[3] for row in archived(Lake(place), history)] == ["e1", "e2"]


def test_marks_go_when_a_later_one_tells_what_is_long_held(history: History, place: Place) -> None:
    history.say([an_item(1)])
    archiver = Archiver(place, history.connection)
    for days in (20, 10, 1):
        assert archiver.mark(history.workspace)
        history.connection.execute("UPDATE lake_mark SET at = at - %s WHERE at > real_now() - 7200000000", [days * DAY])
    archiver.drop(history.workspace)
    kept = history.connection.execute("SELECT (real_now() - at) / %s FROM lake_mark ORDER BY at", [DAY]).fetchall()
    assert kept == [(10,), (1,)]


def test_killed_at_any_step_the_lake_holds_each_item_once(history: History, place: Place) -> None:
    chance = random.Random(5)
    said = 0
    for _ in range(25):
        for _ in range(chance.randrange(4)):
            history.say([an_item(said + n, profile=f"p{chance.randrange(6)}") for n in range(3)])
            said += 3
        archiver = Archiver(place, history.connection)
        folded = archiver.pending().get(history.workspace, {})
        match chance.randrange(3):
            case 0:
                archiver.turn()
            case 1 if folded:
                reach = archiver.read(history.workspace, folded)
                archiver.writer(history.workspace).append(reach.rows, reach.offsets)
            case 2 if folded:
                archiver.read(history.workspace, folded)
    Archiver(place, history.connection).turn()
    found = archived(Lake(place), history)
    assert sorted(int(row[3][1:]) for row in found) == list(range(said))


def test_writing_what_is_held_already_does_nothing(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "7")
    rows = [LogRow(3, 1, START, msgspec.msgpack.encode([an_item(1)]))]
    assert writer.append(rows, {3: 1}) == 1
    assert Writer(tmp_path / "7").append(rows, {3: 1}) == 0


def test_the_archiver_wakes_when_the_log_grows(history: History, place: Place, database_url: str) -> None:
    archiver = Archiver(place, history.connection)
    with psycopg.connect(database_url, autocommit=True) as other:
        history.connection.execute("LISTEN kizuna_log")
        other.execute("NOTIFY kizuna_log")
        archiver.rest()  # returns: the notification was not lost


def test_the_process_archives_and_stops_when_told(history: History, place: Place, database_url: str) -> None:
    history.say([an_item(1)])
    script = (
        "import sys; from types import SimpleNamespace; from pathlib import Path; from kizuna.runtime import archiver;"
        "archiver.main(SimpleNamespace(database_url=sys.argv[1], data=Path(sys.argv[2]), lake_url=''))"
    )
    process = subprocess.Popen([sys.executable, "-c", script, database_url, str(place.data)])
    try:
        ended = time.monotonic() + 30
        while history.column("archived") != [1] and time.monotonic() < ended:
            assert process.poll() is None
            select.select([], [], [], 0.05)
        assert history.column("archived") == [1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()

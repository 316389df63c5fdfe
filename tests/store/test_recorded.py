"""History folded again: from the log, and from the lake when the log's rows are long gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from kizuna.core import clock
from kizuna.engine import store
from kizuna.engine.moment import Item
from kizuna.engine.refold import differing
from kizuna.engine.replay import Replay
from kizuna.engine.state import LogRow
from kizuna.folds import SECTIONS, memory_engine
from kizuna.runtime.archiver import Archiver
from kizuna.runtime.database import connect
from kizuna.runtime.lake import inner
from kizuna.runtime.lake.query import Lake
from kizuna.runtime.lake.recorded import NOTHING, Row, recorded
from kizuna.testing.tenant import PARTITIONS

from .lake_builder import Place
from .test_replay import DAYS, FIRST, live, make_workspace, publish

END = FIRST + (DAYS + 1) * clock.DAY
_decode = msgspec.msgpack.Decoder(list[Item]).decode


class Lived(msgspec.Struct):
    """A workspace that has lived through some weeks, with anonymous beginnings, late events and duplicates."""

    connection: psycopg.Connection[Any]
    workspace: int
    place: Place

    def rows(self, **only: Any) -> list[Row]:
        return list(recorded(self.connection, Lake(self.place), self.workspace, END, clock="test", **only))

    def archive_and_forget(self, url: str, keep: int = 0) -> None:
        """As if the log had been archived more than seven days ago, but for the `keep` newest rows a partition."""
        with connect(url, autocommit=True) as other:
            archiver = Archiver(self.place, other)
            archiver.turn()
            other.execute("UPDATE log_head SET archived = greatest(0, archived - %s)", [keep])
            assert archiver.mark(self.workspace)
            other.execute("UPDATE lake_mark SET at = at - %s", [8 * clock.DAY])
            archiver.drop(self.workspace)
            archiver.drop(self.workspace)  # what is held already is not written twice

    def fold(self, rows: list[Row], *, relays_anew: bool) -> Replay:
        engine = memory_engine(PARTITIONS)
        with self.connection.cursor(binary=True) as cursor:
            workspace = store.workspaces(cursor, PARTITIONS)[self.workspace]
            definitions = store.definitions(cursor, self.workspace, 1000)
        again = (LogRow(*msgspec.structs.astuple(row)) for row in rows)
        replay = Replay(engine, workspace, definitions, again, relays_anew=relays_anew)
        for head in replay.made.heads:
            head.program = 1  # as `publish` has it, without a row
        replay.run(END)
        return replay

    def differing(self, replay: Replay) -> list[bytes]:
        known: dict[bytes, Any] = {}
        with self.connection.cursor(binary=True) as cursor:
            for partition in range(PARTITIONS):
                known |= store.all_records(cursor, self.workspace, partition, list(SECTIONS))
        assert len(known) > 25
        return differing(memory_engine(PARTITIONS).codec, known, replay.made.records)


@pytest.fixture
def lived(connection: psycopg.Connection[Any], tmp_path: Path) -> Iterator[Lived]:
    workspace = make_workspace(connection, now=FIRST)
    publish(connection, workspace)
    live(connection, workspace, batch=4000, cached=20_000)
    yield Lived(connection, workspace, Place(tmp_path / "data 絆"))
    connection.rollback()


def said(rows: list[Row]) -> list[Any]:
    """What rows say, ticks aside; positions are known to the log alone."""
    return [
        (row.partition, row.offset, row.at, row.kind, row.body if row.kind == 3 else meant(row.body))
        for row in rows
        if row.kind != 2
    ]


def meant(body: bytes) -> list[tuple[int, Item]]:
    """The items with their places; empty JSON is written in two ways."""
    return [
        (index, msgspec.structs.replace(item, properties=item.properties or b"{}"))
        for index, item in enumerate(_decode(body))
        if item.type != NOTHING
    ]


def test_the_lake_says_all_that_the_log_said(lived: Lived, database_url: str) -> None:
    before = said(lived.rows())
    types = {item.type for *_, kind, items in before if kind == 0 for _, item in items}
    assert {"track", "identify", "link", "absorb", "forward"} <= types
    lived.archive_and_forget(database_url)
    lived.connection.rollback()
    with lived.connection.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM log").fetchone() == (0,)
    assert said(lived.rows()) == before


def test_log_and_lake_meet_without_gap_or_overlap(lived: Lived, database_url: str) -> None:
    before = said(lived.rows())
    lived.archive_and_forget(database_url, keep=40)
    assert said(lived.rows()) == before
    half = FIRST + DAYS // 2 * clock.DAY
    some = list(recorded(lived.connection, Lake(lived.place), lived.workspace, half, clock="test"))
    assert said(some) == [each for each in before if each[2] < half]


def test_a_record_is_read_alone(lived: Lived, database_url: str) -> None:
    who = next(item.profile for row in lived.rows() for item in _decode(row.body or b"\x90") if item.type == "absorb")
    wanted = [
        (row[0], row[1], [each for each in row[4] if each[1].profile == who])
        for row in said(lived.rows())
        if row[3] == 0
    ]
    wanted = [each for each in wanted if each[2]]
    assert len(wanted) > 3
    for _ in range(2):
        alone = [(row[0], row[1], row[4]) for row in said(lived.rows(profile=who)) if row[3] == 0]
        assert alone == wanted
        lived.archive_and_forget(database_url, keep=20)


@pytest.mark.parametrize("relays_anew", [True, False])
def test_folded_again_records_are_the_same(lived: Lived, *, relays_anew: bool) -> None:
    assert lived.differing(lived.fold(lived.rows(), relays_anew=relays_anew)) == []


def test_folded_from_the_lake_alone_records_are_the_same(lived: Lived, database_url: str) -> None:
    lived.archive_and_forget(database_url)
    assert lived.differing(lived.fold(lived.rows(), relays_anew=True)) == []


def test_a_row_that_only_seems_to_hold_an_inner_item_gives_none() -> None:
    seems = Item(b"\1" * 16, "m1", "track", "link", 1)  # an event of that name
    body = msgspec.msgpack.encode([seems])
    assert inner.is_inner(body)
    assert inner.lines_of(3, 1, 1, 0, body) == []

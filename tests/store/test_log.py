"""The log has no holes, and time in it never falls, however slowly and in whatever order appends commit."""

from __future__ import annotations

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import psycopg

from kizuna.core import clock
from kizuna.core.ids import partition_of
from kizuna.engine import store, word
from kizuna.engine.append import TICK, Row, append_rows, append_statements
from kizuna.events.log import Log
from kizuna.runtime.database import Database, connect
from kizuna.testing.tenant import PARTITIONS, an_item, append, make_workspace


def test_a_slow_append_holds_back_those_after_it(database_url: str, connection: psycopg.Connection[Any]) -> None:
    workspace = make_workspace(connection)
    lock, insert = append_statements(workspace, [an_item(workspace, "slow", user="ada")], PARTITIONS, None)
    begun = threading.Event()

    def fast() -> int:
        with connect(database_url) as other:
            begun.set()
            return append(other, workspace, [an_item(workspace, "fast", user="ada")])

    connection.execute(*lock)
    connection.execute(*insert)
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(fast)
        begun.wait()
        with connect(database_url) as reader:
            assert read_all(reader, workspace) == []  # the later one cannot be seen before the earlier one
        connection.commit()
        second.result()
    assert [name for name, _, _ in read_all(connection, workspace)] == ["slow", "fast"]


def test_offsets_are_dense_and_time_never_falls_under_overlapping_appends(
    database_url: str, connection: psycopg.Connection[Any]
) -> None:
    workspace = make_workspace(connection)
    seen: list[tuple[int, int]] = []
    done = threading.Event()

    def write(number: int) -> None:
        chance = random.Random(number)
        with connect(database_url) as own:
            for turn in range(25):
                people = chance.sample(range(40), 6)
                append(own, workspace, [an_item(workspace, f"{number}-{turn}-{p}", user=f"u{p}") for p in people])

    def follow() -> None:
        """A reader that goes on from where it stood: what it passed over would be lost for ever."""
        at: dict[int, int] = {}
        with connect(database_url) as own:
            while True:
                last = done.is_set()
                with own.cursor(binary=True) as cursor:
                    cursor.execute('SELECT workspace, partition, "offset", at, %s, 0, 0 FROM log_head', [0])
                    heads = [store.Head(*row) for row in cursor.fetchall()]
                    for head in heads:
                        head.applied = at.get(head.partition, 0)
                    for row in store.read_rows(cursor, heads, 1000):
                        at[row.partition] = row.offset
                        seen.append((row.partition, row.offset))
                own.commit()
                if last:
                    return

    with ThreadPoolExecutor(7) as pool:
        reader = pool.submit(follow)
        for writer in [pool.submit(write, number) for number in range(6)]:
            writer.result()
        done.set()
        reader.result()
    rows = connection.execute('SELECT partition, "offset", at FROM log ORDER BY partition, "offset"').fetchall()
    assert sorted(seen) == [(partition, offset) for partition, offset, _ in rows]
    by_partition: dict[int, list[tuple[int, int]]] = {}
    for partition, offset, at in rows:
        by_partition.setdefault(partition, []).append((offset, at))
    for line in by_partition.values():
        assert [offset for offset, _ in line] == list(range(1, len(line) + 1))
        assert [at for _, at in line] == sorted(at for _, at in line)


def test_what_is_waited_for_is_told_with_its_place(database_url: str, connection: psycopg.Connection[Any]) -> None:
    workspace = make_workspace(connection)
    waited_for, other = an_item(workspace, "code", user="ada"), an_item(workspace, "event", user="eve")

    async def write() -> None:
        database = Database(database_url, name="test")
        await database.open()
        log = Log(database, PARTITIONS)
        await asyncio.gather(log.append(workspace, [other]), log.append(workspace, [waited_for], is_waited_for=True))
        await database.close()

    with connect(database_url, autocommit=True) as ear:
        ear.execute("LISTEN kizuna_log")
        asyncio.run(write())
        heard = list[str]()
        for told in ear.notifies(timeout=30):
            heard.append(told.payload)
            if word.read(heard):
                break
    assert word.read(heard) == {(workspace, partition_of(waited_for.profile, PARTITIONS))}


def test_a_rolled_back_append_leaves_no_hole(connection: psycopg.Connection[Any]) -> None:
    workspace = make_workspace(connection)
    append(connection, workspace, [an_item(workspace, "one", user="ada")])
    for statement in append_statements(workspace, [an_item(workspace, "lost", user="ada")], PARTITIONS, None):
        connection.execute(*statement)
    connection.rollback()
    append(connection, workspace, [an_item(workspace, "two", user="ada")])
    assert [(name, offset) for name, offset, _ in read_all(connection, workspace)] == [("one", 1), ("two", 2)]


def test_time_in_a_test_workspace_is_its_clock(connection: psycopg.Connection[Any]) -> None:
    workspace = make_workspace(connection, now=5 * clock.DAY)
    append(connection, workspace, [an_item(workspace, "one", user="ada")])
    connection.execute("UPDATE workspace SET now = %s WHERE id = %s", [9 * clock.DAY, workspace])
    for statement in append_rows(workspace, [Row(partition, TICK, 0, b"", b"") for partition in range(PARTITIONS)]):
        connection.execute(*statement)
    append(connection, workspace, [an_item(workspace, "two", user="ada")])
    assert [(name, at) for name, _, at in read_all(connection, workspace)] == [
        ("one", 5 * clock.DAY),
        ("two", 9 * clock.DAY),
    ]


def read_all(connection: psycopg.Connection[Any], workspace: int) -> list[tuple[str, int, int]]:
    """(message id, offset, at) in the order of the log."""
    with connection.cursor(binary=True) as cursor:
        heads = [store.Head(workspace, partition, 1 << 40, 0, 0, 0, 0) for partition in range(PARTITIONS)]
        rows = store.read_rows(cursor, heads, 1000)
    connection.commit()
    found = [(item.id, row.offset, row.at) for row in rows if row.kind == 0 for item in row.decode()]
    return sorted(found, key=lambda line: line[1])


def test_an_append_larger_than_any_buffer_on_its_way_is_answered(
    database_url: str, connection: psycopg.Connection[Any]
) -> None:
    workspace = make_workspace(connection)
    large = b'{"text": "%s"}' % (b"x" * 400_000)
    items = [msgspec.structs.replace(an_item(workspace, f"{n}", user=f"u{n}"), properties=large) for n in range(40)]

    async def write() -> int:
        database = Database(database_url)
        await database.open()
        try:
            return await asyncio.wait_for(Log(database).append(workspace, items), 30)
        finally:
            await database.close()

    assert asyncio.run(write()) > 0
    assert len(read_all(connection, workspace)) == len(items)

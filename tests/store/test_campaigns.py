"""Launches, pauses and cancels on real PostgreSQL: what is handed out, what a claim passes by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg.types.json import Jsonb

from kizuna.campaigns import store
from kizuna.campaigns.hand_out import CHUNK, FAILED_RESTS, MOST_BEHIND, step
from kizuna.config import Config
from kizuna.core import exact_json, ids
from kizuna.core.clock import DAY, HOUR
from kizuna.engine.moment import Item
from kizuna.engine.program import Programs
from kizuna.messages import sql_sending
from kizuna.messages import store as messages
from kizuna.messages.fold import SAY
from kizuna.messages.message import NEVER, Ending, EndPlanned, MovePlanned
from kizuna.runtime.database import Database, connect
from kizuna.runtime.lake.query import Lake
from kizuna.testing.mail import TEMPLATE, plan, put_definition, put_profile, state_of
from kizuna.testing.tenant import PARTITIONS, make_workspace

NOW = 1_772_445_600_000_000
Connection = psycopg.Connection[Any]


@pytest.fixture
def shop(connection: Connection) -> int:
    connection.execute(
        "INSERT INTO installation (partitions, secret, created_at) VALUES (%s, '', 0) ON CONFLICT DO NOTHING",
        [PARTITIONS],
    )
    connection.commit()
    made = make_workspace(connection, now=NOW)
    set_status(connection, made, "campaign", "sale", "ready")
    return made


@pytest.fixture
def hand_out(connection: Connection, tmp_path: Any) -> Callable[[], tuple[bool, int | None]]:
    lake, programs = Lake(Config(data=tmp_path)), Programs([], PARTITIONS)
    return lambda: step(connection, lake, programs)


def put_launch(connection: Connection, shop: int, members: int, state: str = "handing", **columns: Any) -> bytes:
    """A launch of `sale` to so many."""
    name = ids.derive("launch", state, members)
    values = {"workspace": shop, "id": name, "campaign": "sale", "members": members, "position": 7, "state": state}
    values |= {"version": 1, **columns}
    connection.execute(
        f"INSERT INTO launch ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))})",  # type: ignore[arg-type]
        list(values.values()),
    )
    connection.execute(
        """INSERT INTO launch_member (workspace, launch, profile)
           SELECT %s, %s, decode(lpad(to_hex(n), 32, '0'), 'hex') FROM generate_series(1, %s) n""",
        [shop, name, members],
    )
    connection.commit()
    return name


def set_status(connection: Connection, shop: int, kind: str, name: str, status: str) -> None:
    """As publishing leaves it."""
    connection.execute("UPDATE workspace SET program = program + 1 WHERE id = %s", [shop])
    connection.execute(
        "UPDATE definition SET retired = 1 WHERE workspace = %s AND kind = %s AND name = %s", [shop, kind, name]
    )
    connection.execute(
        "INSERT INTO definition (workspace, kind, name, version, status, body, introduced, published_at)"
        " SELECT id, %s, %s, 1, %s, %s, program, 0 FROM workspace WHERE id = %s",
        [kind, name, status, Jsonb({"segment": "all", "send": {"template": "hello"}}), shop],
    )
    connection.commit()


def reached(connection: Connection, shop: int) -> list[bytes]:
    rows = connection.execute("SELECT body FROM log WHERE workspace = %s AND kind = 0", [shop]).fetchall()
    connection.commit()
    return [item.profile for (body,) in rows for item in msgspec.msgpack.decode(body, type=list[Item])]


def seeds_told(connection: Connection, shop: int) -> list[Item]:
    rows = connection.execute("SELECT body FROM log WHERE workspace = %s", [shop]).fetchall()
    items = [item for (body,) in rows for item in msgspec.msgpack.decode(body, type=list[Item])]
    return [each for each in items if each.type == SAY]


def fold_all(connection: Connection, shop: int) -> None:
    connection.execute('UPDATE log_head SET applied = "offset" WHERE workspace = %s', [shop])
    connection.commit()


def test_members_are_handed_out_in_chunks_and_live_work_comes_first(
    connection: Connection, shop: int, hand_out: Callable[[], tuple[bool, int | None]]
) -> None:
    put_launch(connection, shop, 3 * CHUNK + 5)
    handed = []
    for _ in range(MOST_BEHIND // CHUNK + 1):
        assert hand_out() == (True, 0)
        handed.append(len(reached(connection, shop)))
    assert handed == [CHUNK, 2 * CHUNK]
    assert hand_out() == (False, 0), "as much as may be behind is behind"
    fold_all(connection, shop)
    while hand_out()[0]:
        fold_all(connection, shop)
    assert hand_out() == (False, None)
    members = reached(connection, shop)
    assert len(members) == len(set(members)) == 3 * CHUNK + 5
    assert connection.execute("SELECT state, handed FROM launch").fetchall() == [("handed", 3 * CHUNK + 5)]
    assert connection.execute("SELECT count(*) FROM launch_member").fetchone() == (0,)


def test_seeds_are_told_with_the_first_chunk_or_not_at_all(
    connection: Connection, shop: int, hand_out: Callable[[], tuple[bool, int | None]]
) -> None:
    put_definition(connection, shop, "seed_list", "ours", {"addresses": ["one@seed.example"]})
    put_definition(connection, shop, "template", "hello", TEMPLATE)
    send = {"template": "hello", "seeds": "ours"}
    connection.execute(
        "UPDATE definition SET body = %s WHERE kind = 'campaign'", [Jsonb({"segment": "a", "send": send})]
    )
    put_launch(connection, shop, CHUNK + 5)
    assert hand_out()[0]
    told = seeds_told(connection, shop)
    assert [exact_json.decode(each.properties)["to"] for each in told] == ["one@seed.example"]
    fold_all(connection, shop)
    assert hand_out()[0]
    assert seeds_told(connection, shop) == told
    put_back = "UPDATE launch SET state = 'handing', handed = 0, handed_to = ''"  # as a crash before the commit does
    connection.execute(put_back)
    connection.execute("INSERT INTO launch_member SELECT workspace, id, %s FROM launch", [bytes(16)])
    fold_all(connection, shop)
    assert hand_out()[0]
    assert [each.id for each in seeds_told(connection, shop)] == [told[0].id] * 2, "under one id: folded once"


def test_a_launch_that_cannot_be_made_sense_of_keeps_no_other_waiting(
    connection: Connection, shop: int, hand_out: Callable[[], tuple[bool, int | None]]
) -> None:
    put_launch(connection, shop, 1, "gathering", campaign="lost", as_of=0)  # of a definition that is not there
    other = make_workspace(connection, "other", now=NOW)
    set_status(connection, other, "campaign", "sale", "ready")
    put_launch(connection, other, 2)
    assert hand_out() == (True, 0)
    assert hand_out() == (True, 0)
    assert connection.execute("SELECT state FROM launch ORDER BY state").fetchall() == [("gathering",), ("handed",)]
    assert hand_out() == (False, FAILED_RESTS)


def test_two_who_hand_out_never_hand_out_the_same(connection: Connection, shop: int, database_url: str) -> None:
    put_launch(connection, shop, 10)
    (seen, _), *_ = store.open_launches(connection)
    assert store.lock(connection, seen)
    with psycopg.connect(database_url) as other:
        assert not store.lock(other, seen)
    store.note_handed(connection, seen, [b"x" * 16])
    connection.commit()
    assert not store.lock(connection, seen), "it went on since it was seen"


def test_what_is_paused_is_not_handed_out(
    connection: Connection, shop: int, hand_out: Callable[[], tuple[bool, int | None]]
) -> None:
    put_launch(connection, shop, 5)
    set_status(connection, shop, "campaign", "sale", "paused")
    assert hand_out() == (False, None)
    set_status(connection, shop, "campaign", "sale", "ready")
    assert hand_out()[0]
    assert len(reached(connection, shop)) == 5


def test_a_scheduled_one_is_gathered_when_its_time_has_come_and_all_is_folded(
    connection: Connection, shop: int, hand_out: Callable[[], tuple[bool, int | None]]
) -> None:
    set_status(connection, shop, "campaign", "sale", "ready")
    put_launch(connection, shop, 0, "scheduled", due_at=NOW + HOUR)
    who = [put_profile(connection, shop, f"u{number}") for number in range(3)]
    for profile in who:
        connection.execute("INSERT INTO membership VALUES (%s, 'all', %s, 1)", [shop, profile])
    connection.commit()
    assert hand_out() == (False, None)
    connection.execute("UPDATE workspace SET now = %s WHERE id = %s", [NOW + HOUR, shop])
    connection.execute('UPDATE log_head SET "offset" = 1 WHERE workspace = %s AND partition = 0', [shop])
    connection.execute("INSERT INTO log VALUES (%s, 0, 1, 0, 1, 2, 0, '', '')", [shop])
    connection.execute("SELECT setval('position', 5)")
    connection.commit()
    assert hand_out() == (True, 0)
    assert hand_out() == (False, 0), "a row of the log is not folded yet"
    fold_all(connection, shop)
    while hand_out()[0]:
        fold_all(connection, shop)
    assert sorted(reached(connection, shop)) == sorted(who)
    assert connection.execute("SELECT members, handed, state FROM launch").fetchone() == (3, 3, "handed")


def test_a_live_one_says_when_it_is_due(
    connection: Connection, shop: int, hand_out: Callable[[], tuple[bool, int | None]]
) -> None:
    live = make_workspace(connection, "live")
    row = connection.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").fetchone()
    assert row
    put_launch(connection, live, 0, "scheduled", due_at=row[0] + DAY)
    has_moved, next_in = hand_out()
    assert not has_moved
    assert next_in is not None
    assert DAY - 60_000_000 < next_in <= DAY


@pytest.mark.parametrize("who", ["sender", "cancel"])
def test_messages_are_ended_in_one_order_so_that_nobody_waits_in_a_ring(
    connection: Connection, shop: int, database_url: str, who: str
) -> None:
    ada = put_profile(connection, shop, "ada")
    first, *others = sorted(plan(connection, shop, ada, campaign="sale") for _ in range(30))

    def end() -> None:
        with sql_sending.connected(database_url) as own, own.cursor(binary=True) as cursor:
            if who == "sender":
                endings = [Ending(id=each, fence=0, state="sent") for each in (*others, first)]
                sql_sending.finish(cursor, shop, endings)
            else:
                cursor.execute(store.ABORT, {"workspace": shop, "campaign": "sale", "at": NOW})

    with ThreadPoolExecutor(1) as pool, connect(database_url, autocommit=True) as watch:
        connection.execute("SELECT FROM message WHERE id = %s FOR UPDATE", [first])
        ended = pool.submit(end)
        while not watch.execute(
            "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ).rowcount:
            assert not ended.done()
        connection.execute("SELECT FROM message WHERE id = ANY(%s::bytea[]) FOR UPDATE NOWAIT", [others])
        connection.commit()
        ended.result()


def test_a_claim_passes_by_what_is_paused_and_takes_what_is_to_be_ended(connection: Connection, shop: int) -> None:
    put_definition(connection, shop, "template", "hello", TEMPLATE)
    ada = put_profile(connection, shop, "ada")
    due = {"due_at": NOW, "expires_at": NOW + DAY}
    free = plan(connection, shop, ada, **due)
    receipt = plan(connection, shop, ada, transactional=True, **due)
    sale = plan(connection, shop, ada, campaign="sale", **due)
    receipt_of_sale = plan(connection, shop, ada, campaign="sale", transactional=True, **due)
    aborted = plan(connection, shop, ada, campaign="gone", reason="aborted", **due)
    unmarked = plan(connection, shop, ada, campaign="gone", **due)
    welcome = plan(connection, shop, ada, journey="welcome", run="r1", **due)
    everything = {free, receipt, sale, receipt_of_sale, aborted, unmarked, welcome}

    def claimed() -> set[bytes]:
        with connection.transaction(), connection.cursor(binary=True) as cursor:
            return {
                each.message.id
                for is_urgent in (True, False)
                for each in sql_sending.claim(cursor, shop, "email", NOW, 100, is_urgent=is_urgent)
            }

    assert claimed() == everything
    set_status(connection, shop, "campaign", "sale", "paused")
    assert claimed() == everything - {sale, receipt_of_sale}
    set_status(connection, shop, "campaign", "sale", "ready")
    set_status(connection, shop, "campaign", "gone", "cancelled")
    assert claimed() == everything - {unmarked}
    store.abort(connection, store.Launch(shop, b"", "gone", 1, "", 0, 0, 0, 0, 0, 0, b""), NOW)
    connection.commit()
    assert claimed() == everything
    set_status(connection, shop, "journey", "welcome", "paused")
    assert claimed() == everything - {welcome}
    set_status(connection, shop, "sending", "email", "paused")
    assert claimed() == {receipt, receipt_of_sale}


def test_what_is_held_moves_or_ends_unless_it_is_to_be_ended_already(connection: Connection, shop: int) -> None:
    ada = put_profile(connection, shop, "ada")
    moved, ended, left = (plan(connection, shop, ada, due_at=NEVER, campaign="sale") for _ in range(3))
    connection.execute("UPDATE message SET reason = 'exited', due_at = %s WHERE id = %s", [NOW, left])
    with connection.cursor(binary=True) as cursor:
        messages.move(cursor, shop, [MovePlanned(moved, NOW + 1), MovePlanned(left, NOW + 1)])
        messages.end(
            cursor, shop,
            [EndPlanned(ended, "expired", "frequency_cap", NOW), EndPlanned(left, "expired", "frequency_cap", NOW)],
        )  # fmt: skip
    connection.commit()
    found = connection.execute("SELECT id, due_at FROM message ORDER BY due_at").fetchall()
    assert found == [(left, NOW), (moved, NOW + 1), (ended, NEVER)]
    assert state_of(connection, ended) == ("expired", "frequency_cap")
    assert state_of(connection, left) == ("planned", "exited")


def test_what_fell_due_in_a_pause_is_due_at_its_end(connection: Connection, shop: int, database_url: str) -> None:
    ada = put_profile(connection, shop, "ada")
    late = plan(connection, shop, ada, due_at=NOW - DAY, campaign="sale")
    later, held, other = (
        plan(connection, shop, ada, due_at=due, campaign=name)
        for due, name in ((NOW + 1, "sale"), (NEVER, "sale"), (NOW - DAY, "other"))
    )

    async def put_off() -> None:
        database = Database(database_url, name="test")
        await database.open()
        async with database.connection() as conn:
            await messages.put_off(conn, shop, NOW, campaign="sale")
        await database.close()

    asyncio.run(put_off())
    found = dict(connection.execute("SELECT id, due_at FROM message").fetchall())
    assert found == {late: NOW, later: NOW + 1, held: NEVER, other: NOW - DAY}

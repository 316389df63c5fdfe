"""The lake's tables over files and tail, held against plain Python over the same items."""

from __future__ import annotations

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import json

from kizuna.core import ids
from kizuna.core.errors import Invalid, Unavailable
from kizuna.engine.moment import Item, Moment
from kizuna.runtime.archiver import Archiver
from kizuna.runtime.database import Database, connect
from kizuna.runtime.lake import locked, tidy
from kizuna.runtime.lake.query import Lake

from .lake_builder import START, History, Place

MINUTE = 60_000_000


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "data 絆")


@pytest.fixture
def lake(place: Place) -> Lake:
    return Lake(place)


@pytest.fixture
def history(database_url: str) -> Any:
    with connect(database_url, autocommit=True) as connection:
        yield History(connection)


@pytest.fixture
def archiver(place: Place, history: History) -> Archiver:
    return Archiver(place, history.connection)


def person(name: str) -> bytes:
    return ids.profile_id(1, "user", name)


def outer(name: str) -> str:
    return ids.show("prf", person(name))


def said(who: str, event: str, at: int = 0, number: str = "", **properties: Any) -> Item:
    return Item(person(who), number or f"{event} {who} {at}", "track", event, START + at, json.encode(properties))


def test_files_and_tail_together_hold_each_item_once(history: History, lake: Lake, archiver: Archiver) -> None:
    chance = random.Random(2)
    expected = []
    for turn in range(30):
        items = [said(f"p{chance.randrange(20)}", "Opened", turn, f"e{turn}.{n}", n=n) for n in range(5)]
        history.say(items)
        expected += [(item.id, ids.show("prf", item.profile), item.properties.decode()) for item in items]
        if chance.random() < 0.3:
            archiver.turn()
        if chance.random() < 0.5:
            assert history.ask(lake, "SELECT id, profile, properties FROM events ORDER BY id") == sorted(expected)
    assert history.ask(Lake(lake.place), "SELECT id, profile, properties FROM events ORDER BY id") == sorted(expected)


def test_rows_partly_archived_are_not_seen_twice(history: History, lake: Lake, archiver: Archiver) -> None:
    history.say([said("ada", "A"), said("bob", "A"), said("cy", "A")])
    assert history.ask(lake, "SELECT count(*) FROM events") == [(3,)]  # one chunk of the tail holds them
    pending = archiver.pending()[history.workspace]
    first = dict(list(pending.items())[:1])
    archiver.archive(history.workspace, first)
    assert history.ask(lake, "SELECT count(*), count(DISTINCT id) FROM events") == [(3, 3)]


def test_facts_are_seen_although_older_rows_still_wait(history: History, lake: Lake) -> None:
    history.say([said("ada", "Waiting")], folded=False)
    history.say([Item(person("ada"), "f", "fact", "message_planned", START)], folded=False, kind=1)
    assert history.ask(lake, "SELECT event FROM events") == [("message_planned",)]


def test_arrival_is_the_one_rules_use(history: History, lake: Lake) -> None:
    history.say([said("ada", "A"), said("ada", "B")])
    moments = [Moment(said("ada", "A"), history.at, 0, index) for index in range(2)]
    found = history.ask(lake, "SELECT arrival FROM events ORDER BY arrival")
    assert [row[0] for row in found] == [moment.arrival for moment in moments]


def test_merged_profiles_are_one_customer(history: History, lake: Lake, archiver: Archiver) -> None:
    for name in ("anon", "mid", "ada"):
        history.say([said(name, "Seen")])
        history.fact(person(name), "profile_updated", START, traits={"name": name}, user_id=name)
    history.fact(person("mid"), "profile_merged", START, **{"from": outer("anon")})
    assert sorted(history.ask(lake, "SELECT DISTINCT profile FROM events")) == sorted(
        [(outer("mid"),), (outer("ada"),)]
    )
    archiver.turn()
    history.fact(person("ada"), "profile_merged", START, **{"from": outer("mid")})
    history.fact(person("ada"), "profile_updated", START + 1, traits={"name": "Ada 絆"}, user_id="ada")
    for asked in (lake, Lake(lake.place)):
        assert history.ask(asked, "SELECT DISTINCT profile FROM events") == [(outer("ada"),)]
        assert history.ask(asked, "SELECT profile, traits, user_id FROM profiles") == [
            (outer("ada"), '{"name":"Ada 絆"}', "ada")
        ]
    assert history.ask(lake, "SELECT count(*) FROM events WHERE event = 'profile_updated'") == [(0,)]


def test_memberships_are_the_last_word(history: History, lake: Lake, archiver: Archiver) -> None:
    chance = random.Random(3)
    members: set[tuple[str, str]] = set()
    for turn in range(60):
        who, segment = f"p{chance.randrange(5)}", f"s{chance.randrange(3)}"
        event = "segment_left" if (outer(who), segment) in members else "segment_entered"
        (members.discard if event == "segment_left" else members.add)((outer(who), segment))
        history.fact(person(who), event, START, segment=segment, version=1)
        if turn == 30:
            archiver.turn()
    assert set(history.ask(lake, "SELECT profile, segment FROM memberships")) == members


def test_consents_are_the_last_word_per_topic(history: History, lake: Lake) -> None:
    for at, state in enumerate(("opted_in", "opted_out")):
        history.fact(person("ada"), "consent_changed", START + at, channel="email", topic="news", state=state)
    history.fact(person("ada"), "consent_changed", START, channel="email", state="opted_in")
    assert history.ask(lake, "SELECT channel, topic, state FROM consents ORDER BY topic") == [
        ("email", "", "opted_in"),
        ("email", "news", "opted_out"),
    ]


def test_messages_keep_the_first_instant_of_each_state(history: History, lake: Lake) -> None:
    common = {"message": "msg_1", "channel": "email", "template": "hello", "journey": "welcome", "step": "mail"}
    history.fact(person("ada"), "message_planned", START, **common)
    for at, state in enumerate(("sent", "delivered", "opened", "opened"), start=1):
        report = Item(person("ada"), f"r{at}", "report", f"message_{state}", START + at * MINUTE, json.encode(common))
        history.say([report])
    machine = json.encode({**common, "actor": "machine"})
    history.say([Item(person("ada"), "r9", "report", "message_clicked", START + 9 * MINUTE, machine)])
    found = history.ask(lake, "SELECT message, state, journey, opened_at, clicked_at FROM messages")
    assert found == [("msg_1", "opened", "welcome", START + 3 * MINUTE, None)]


def test_what_turned_out_to_be_a_machines_is_no_engagement(history: History, lake: Lake) -> None:
    common = {"message": "msg_1", "channel": "email"}
    for at, state in enumerate(("sent", "clicked", "opened")):
        report = Item(person("ada"), f"r{at}", "report", f"message_{state}", START + at, json.encode(common))
        history.say([report])
    items = [{"id": "r1", "state": "clicked", "at": START + 1}]
    restated = json.encode({**common, "actor": "machine", "items": items})
    history.say([Item(person("ada"), "r9", "report", "message_restated", START + 9, restated)])
    found = history.ask(lake, "SELECT state, opened_at, clicked_at FROM messages")
    assert found == [("opened", START + 2, None)]


@pytest.mark.parametrize(
    ("properties", "value"),
    [
        ({"revenue": 5, "subtotal": 7}, "5"),
        ({"revenue": "5"}, "5"),
        ({"revenue": None, "subtotal": 7.25}, "7.25"),
        ({"total": 27.5, "shipping": 3, "tax": 2}, "22.5"),
        ({"total": "0.1"}, "0.1"),
        ({"products": [{"price": 2.5, "quantity": 3}, {"price": "1"}], "discount": 0.5}, "8"),
        ({"products": "many", "revenue": "much"}, "0"),
        ({"revenue": 1e300, "total": 9}, "9"),
        ({}, "0"),
    ],
)
def test_the_value_of_an_order(history: History, lake: Lake, properties: dict[str, Any], value: str) -> None:
    history.say([said("ada", "Order Completed", order_id="o1", **properties)])
    assert history.ask(lake, "SELECT value, net FROM orders") == [(Decimal(value), Decimal(value))]


def test_first_completed_wins_updates_change_cancelled_goes(history: History, lake: Lake) -> None:
    history.say([said("ada", "Order Completed", 5, "late", order_id="o1", revenue=9)])
    history.say([said("ada", "Order Completed", 1, "early", order_id="o1", revenue=8)])
    history.say([said("ada", "Order Completed", 2, order_id="o2", revenue=7, products=[{"quantity": 2}])])
    history.say([said("ada", "Order Updated", 3, order_id="o2", revenue=6, products=[{"quantity": 1}])])
    history.say([said("bob", "Order Cancelled", 1, order_id="o3"), said("bob", "Order Completed", 3, order_id="o3")])
    history.say([said("bob", "Order Completed", 4, order_id=7, revenue=1), said("bob", "Order Completed", 5)])
    found = history.ask(lake, "SELECT order_id, value, units FROM orders ORDER BY timestamp, order_id")
    assert found == [("o1", 8, 0), ("o2", 6, 1), ("7", 1, 0), (f"Order Completed bob {5}", 0, 0)]


def test_refunds_take_a_share_and_never_more_than_is_left(history: History, lake: Lake) -> None:
    order = {"order_id": "o1", "total": 27.5, "shipping": 3, "tax": 2, "products": [{"price": 11.25, "quantity": 2}]}
    history.say([said("ada", "Order Completed", order_id="o2", revenue=10), said("ada", "Order Completed", **order)])
    history.say([said("ada", "Order Refunded", 1, order_id="o1", total=13.75)])
    history.say([said("ada", "Order Refunded", 2, order_id="gone", total=1)])
    sql = "SELECT order_id, refund, net, over_refund FROM orders ORDER BY order_id"
    assert history.ask(lake, sql) == [
        ("o1", Decimal("11.25"), Decimal("11.25"), False),
        ("o2", 0, 10, False),
    ]
    history.say([said("ada", "Order Refunded", 3, order_id="o1", products=[{"price": 11.25, "quantity": 1}])])
    history.say(
        [said("ada", "Order Refunded", 4, order_id="o1", total=1), said("ada", "Order Refunded", order_id="o2")]
    )
    assert history.ask(lake, sql) == [("o1", Decimal("22.5"), 0, True), ("o2", 10, 0, False)]
    assert history.ask(lake, "SELECT order_id FROM refunds WHERE NOT known") == [("gone",)]


def test_a_vacuumed_file_means_one_more_look(history: History, lake: Lake, archiver: Archiver) -> None:
    for number in range(3):
        history.say([said("ada", "A", number)])
        archiver.turn()
    stale = lake.snapshot_sync(history.connection, history.workspace)
    writer = archiver.writer(history.workspace)
    writer.events.optimize.compact()
    writer.events.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    with pytest.raises(FileNotFoundError):
        lake.ask(stale, "SELECT count(*) FROM events")
    assert history.ask(lake, "SELECT count(*) FROM events") == [(3,)]
    assert not tidy.crowded(writer.events)


def test_questions_of_servers_are_answered_in_threads(
    history: History, lake: Lake, archiver: Archiver, database_url: str
) -> None:
    history.say([said("ada", "A")])
    archiver.turn()
    history.say([said("ada", "B")])

    async def ask() -> list[Any]:
        database = Database(database_url)
        await database.open()
        try:
            sql = "SELECT count(*) FROM events WHERE event <> $none"
            return await asyncio.gather(
                *(lake.query(database, history.workspace, sql, {"none": "x"}) for _ in range(5)),
                lake.query(database, history.workspace + 1, sql, {"none": "x"}),
            )
        finally:
            await database.close()

    assert asyncio.run(ask()) == [[(2,)]] * 5 + [[(0,)]]


def test_a_question_that_takes_too_long_is_stopped(history: History, lake: Lake) -> None:
    endless = "SELECT count(*) FROM range(1000000000) a, range(1000) b"
    with pytest.raises(Unavailable) as error:
        lake.query_sync(history.connection, history.workspace, endless, seconds=0.2)
    assert error.value.code == "query_too_slow"


@pytest.fixture
def shop(history: History, lake: Lake, archiver: Archiver) -> Any:
    """Half archived, half tail; and a neighbour's lake beside it."""
    history.say([said("ada", "Order Completed", order_id="o1", revenue=5)])
    archiver.turn()
    history.say([said("bob", "Order Completed", order_id="o2", revenue=7)])
    neighbour = Path(lake.place.data) / "lake" / "999"
    neighbour.mkdir()
    (neighbour / "secret.csv").write_text("secret\n1\n")
    return lake.snapshot_sync(history.connection, history.workspace)


def test_sql_of_others_sees_files_and_tail(shop: Any) -> None:
    found = locked.ask_sync(shop, "SELECT order_id, value FROM orders ORDER BY 1")
    assert (found.columns, found.is_cut) == (["order_id", "value"], False)
    assert [(row[0], float(row[1])) for row in found.rows] == [("o1", 5), ("o2", 7)]
    assert locked.ask_sync(shop, "explain SELECT 1").rows


REFUSED = [
    ("SELECT * FROM read_csv('/etc/passwd')", "sql_not_allowed"),
    ("SELECT * FROM read_csv('{data}/lake/999/secret.csv')", "sql_not_allowed"),
    ("SELECT * FROM glob('{data}/lake/*')", "sql_not_allowed"),
    ("COPY (SELECT 1) TO '{folder}/x.csv'", "sql_not_a_question"),
    ("EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/x.csv'", "sql_error"),
    ("EXPLAIN (ANALYZE) COPY (SELECT 1) TO '{folder}/x.csv'", "sql_error"),
    ("WITH x AS (COPY (SELECT 1) TO '{folder}/x.csv') SELECT * FROM x", "sql_error"),
    ("WITH x AS (DELETE FROM tail_events RETURNING *) SELECT * FROM x", "sql_error"),
    ("SELECT 1; SELECT 2", "sql_not_a_question"),
    ("SET threads = 64", "sql_not_a_question"),
    ("ATTACH '/tmp/x.db'", "sql_not_a_question"),
    ("INSTALL httpfs", "sql_not_a_question"),
    ("", "sql_not_a_question"),
    ("SELECT nothing FROM events", "sql_error"),
    ("SELECT repeat('x', 2000000000)", "query_too_large"),
    ("SELECT repeat('x', 60000000)", "query_too_large"),
    ("SELECT range::varchar || repeat('x', 300) s FROM range(9000000) GROUP BY s", "query_too_large"),
]


def test_sql_of_others_is_kept_within_its_folder_and_bounds(shop: Any, lake: Lake) -> None:
    def code_of(sql: str) -> str:
        with pytest.raises((Invalid, Unavailable)) as error:
            locked.ask_sync(shop, sql.replace("{data}", str(lake.place.data)).replace("{folder}", str(shop.folder)))
        return error.value.code

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(code_of, [sql for sql, _ in REFUSED]))
    assert list(zip([sql for sql, _ in REFUSED], told, strict=True)) == REFUSED
    assert not (shop.folder / "x.csv").exists()


def test_sql_of_others_is_stopped_in_time(shop: Any) -> None:
    with pytest.raises(Unavailable) as error:
        locked.ask_sync(shop, "SELECT count(*) FROM range(1000000000) a, range(1000) b", seconds=0.5)
    assert error.value.code == "query_too_slow"

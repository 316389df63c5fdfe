"""Messages that wait for other servers, on a real PostgreSQL and against a real server: asked once, said alike."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from kizuna.core.clock import DAY
from kizuna.engine.slice import Workspace
from kizuna.fetches import store
from kizuna.fetches.ask import Asker
from kizuna.fetches.request import Answer
from kizuna.messages import sql_sending
from kizuna.messages.deliver import deliver_local, deliver_remote
from kizuna.messages.desk import Desk
from kizuna.messages.fetching import Fetching, Waiting
from kizuna.providers import Unavailable, all_providers
from kizuna.runtime.database import connect
from kizuna.testing.mail import plan, put_definition, put_profile, state_of
from kizuna.testing.receiver import Receiver, Told
from kizuna.testing.scripted import Scripted
from kizuna.testing.tenant import PARTITIONS, make_workspace

Connection = psycopg.Connection[Any]


class Held(Fetching):
    """Asks when the test says so, as a thread would."""

    def __init__(self, url: str, asker: Asker) -> None:
        super().__init__(url, asker)
        self.line: list[Waiting] = []

    def start(self, workspace: int, waiting: Any) -> None:
        self.line += waiting

    def run(self, workspace: int) -> None:
        line, self.line = self.line, []
        for each in line:
            self.fetch(workspace, [each])


@pytest.fixture
def api() -> Iterator[Receiver]:
    with Receiver(Told(200, {"Content-Type": "text/plain"}, b"sunny")) as receiver:
        yield receiver


@pytest.fixture
def fetching(database_url: str) -> Iterator[Held]:
    made = Held(database_url, Asker(("127.0.0.0/8",)))
    yield made
    made.close()


@pytest.fixture
def desk(fetching: Held) -> Desk:
    return Desk(PARTITIONS, [b"secret"], "https://kizuna.example", fetching=fetching)


@pytest.fixture
def shop(connection: Connection) -> Workspace:
    return Workspace(make_workspace(connection), "shop", "live", "UTC", "JPY", "opt_out", PARTITIONS)


def template(connection: Connection, shop: Workspace, body: str) -> None:
    put_definition(
        connection, shop.id, "template", "hello", {"channel": "email", "format": "liquid+text", "body": body}
    )


def now_of(connection: Connection, workspace: Workspace) -> int:
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        return sql_sending.now(cursor, workspace.id)


def deliver(connection: Connection, desk: Desk, shop: Workspace) -> int:
    return deliver_local(connection, desk, shop, [("email", False)], now_of(connection, shop), 100)


def body(connection: Connection, message: bytes) -> str:
    row: Any = connection.execute("SELECT body FROM message WHERE id = %s", [message]).fetchone()
    connection.commit()
    return row[0]


def test_a_message_waits_for_its_answer_without_being_claimed_again(
    connection: Connection, desk: Desk, shop: Workspace, fetching: Held, api: Receiver
) -> None:
    template(connection, shop, f"It is {{% connected_content {api.url}/weather :no_cache %}}")
    message = plan(connection, shop.id, put_profile(connection, shop.id, "ada"))
    assert (deliver(connection, desk, shop), deliver(connection, desk, shop)) == (1, 0)
    assert state_of(connection, message) == ("planned", None)
    fetching.run(shop.id)
    assert deliver(connection, desk, shop) == 1
    assert (state_of(connection, message), body(connection, message)) == (("sent", None), "It is sunny")
    assert len(api.asked) == 1


def test_each_try_says_the_same_and_asks_once(
    connection: Connection, desk: Desk, shop: Workspace, fetching: Held, api: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier = Scripted()
    monkeypatch.setitem(all_providers(), "scripted", carrier)
    put_definition(connection, shop.id, "provider", "mail", {"kind": "scripted", "channel": "email", "settings": {}})
    template(connection, shop, f"{{% connected_content {api.url}/draw :method post :body a=1 %}}")
    plan(connection, shop.id, put_profile(connection, shop.id, "ada"))
    now = now_of(connection, shop)
    deliver_remote(connection, desk, shop, "email", now)
    fetching.run(shop.id)
    api.told = Told(200, {}, b"rainy")
    carrier.answers = [Unavailable("later")]
    deliver_remote(connection, desk, shop, "email", now)
    deliver_remote(connection, desk, shop, "email", now + DAY)
    assert [each.text for each in carrier.handed] == ["sunny", "sunny"]
    (asked,) = api.asked
    assert (asked.method, asked.body) == ("POST", b"a=1")


@pytest.mark.parametrize(("method", "end"), [("get", ("sent", None)), ("post", ("skipped", "content_failed"))])
def test_after_a_crash_only_what_has_no_effect_is_asked_again(
    connection: Connection, desk: Desk, shop: Workspace, fetching: Held, api: Receiver, method: str, end: Any
) -> None:
    template(connection, shop, f"{{% connected_content {api.url}/x :method {method} :no_cache %}}")
    message = plan(connection, shop.id, put_profile(connection, shop.id, "ada"))
    deliver(connection, desk, shop)
    (waiting,) = fetching.line
    with connection.cursor(binary=True) as cursor:  # asked, and nobody wrote down what came back
        store.note_asked(cursor, shop.id, [message], waiting.request.key)
    connection.execute("UPDATE message SET lease_until = 1")
    connection.commit()
    fetching.line = []
    deliver(connection, desk, shop)
    fetching.run(shop.id)
    deliver(connection, desk, shop)
    assert state_of(connection, message) == end


def test_who_comes_late_to_a_wait_that_is_over_asks_nothing(
    connection: Connection, desk: Desk, shop: Workspace, fetching: Held, api: Receiver
) -> None:
    template(connection, shop, f"{{% connected_content {api.url}/x :no_cache %}}")
    plan(connection, shop.id, put_profile(connection, shop.id, "ada"))
    deliver(connection, desk, shop)
    late = list(fetching.line)
    connection.execute("UPDATE message SET lease_until = 1")
    connection.commit()
    deliver(connection, desk, shop)
    for each in late:
        fetching.fetch(shop.id, [each])
    assert api.asked == []


def test_one_answer_serves_all_who_wait_for_it_and_those_who_come_within_its_time(
    connection: Connection, database_url: str, shop: Workspace, api: Receiver
) -> None:
    fetching = Fetching(database_url, Asker(("127.0.0.0/8",)))
    desk = Desk(PARTITIONS, [b"secret"], "https://kizuna.example", fetching=fetching)
    template(connection, shop, f"{{% connected_content {api.url}/x %}}")
    first = [plan(connection, shop.id, put_profile(connection, shop.id, f"c{n}")) for n in range(5)]
    with connect(database_url, autocommit=True) as ear:
        ear.execute("LISTEN kizuna_send")
        deliver(connection, desk, shop)
        assert list(ear.notifies(timeout=20, stop_after=1))
    later = plan(connection, shop.id, put_profile(connection, shop.id, "later"))
    deliver(connection, desk, shop)
    assert {body(connection, message) for message in [*first, later]} == {"sunny"}
    assert len(api.asked) == 1
    rows: Any = connection.execute("SELECT (SELECT count(*) FROM fetched), count(*) FROM fetched_answer").fetchone()
    assert rows == (6, 1)
    connection.commit()
    fetching.close()


def test_a_slow_server_holds_up_neither_other_messages_nor_a_transaction(
    connection: Connection, database_url: str, shop: Workspace
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    class Slow(Receiver):
        def answer(self, handler: Any) -> None:
            asked.set()
            go_on.wait(20)
            super().answer(handler)

    with Slow(Told(200, {}, b"late")) as server:
        fetching = Fetching(database_url, Asker(("127.0.0.0/8",)))
        desk = Desk(PARTITIONS, [b"secret"], "https://kizuna.example", fetching=fetching)
        template(connection, shop, f"{{% connected_content {server.url}/x :on_failure empty %}}")
        put_definition(connection, shop.id, "template", "plain", {"format": "liquid+text", "body": "hi"})
        slow = plan(connection, shop.id, put_profile(connection, shop.id, "ada"))
        deliver(connection, desk, shop)
        assert asked.wait(20)
        plain = plan(connection, shop.id, put_profile(connection, shop.id, "bob"), template="plain")
        deliver(connection, desk, shop)
        assert (state_of(connection, plain)[0], state_of(connection, slow)[0]) == ("sent", "planned")
        open_ones = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kizuna fetch'"
            " AND state LIKE 'idle in transaction%' AND datname = current_database()"
        ).fetchone()
        assert open_ones == (0,)
        connection.commit()
        go_on.set()
        fetching.close()
    deliver(connection, desk, shop)
    assert state_of(connection, slow)[0] == "sent"


@pytest.mark.parametrize(("requests", "spent"), [(10, 0), (1, 10_000_000)])
def test_a_message_asks_so_often_and_for_so_long_in_all(
    connection: Connection, desk: Desk, shop: Workspace, api: Receiver, requests: int, spent: int
) -> None:
    template(connection, shop, f"{{% connected_content {api.url}/x %}}")
    message = plan(connection, shop.id, put_profile(connection, shop.id, "ada"))
    with connection.cursor(binary=True) as cursor:
        for n in range(requests):
            store.record(cursor, shop.id, [message], bytes([n]) * 16, Answer(200, "", b"before"), spent)
    connection.commit()
    deliver(connection, desk, shop)
    assert (state_of(connection, message), api.asked) == (("skipped", "content_failed"), [])


def test_what_no_message_needs_any_more_is_forgotten(connection: Connection, shop: Workspace) -> None:
    with connection.cursor(binary=True) as cursor:
        for n, name in enumerate((b"old", b"new")):
            store.record(cursor, shop.id, [bytes([n]) * 16], b"r" * 16, Answer(200, "", name))
        cursor.execute("UPDATE fetched SET asked_at = 0 WHERE message = %s", [b"\x00" * 16])
        cursor.execute("UPDATE fetched_answer SET kept_at = 0 WHERE body = 'old'")
        store.forget(cursor)
        cursor.execute("SELECT (SELECT array_agg(message) FROM fetched), array_agg(body) FROM fetched_answer")
        assert cursor.fetchone() == ([b"\x01" * 16], [b"new"])

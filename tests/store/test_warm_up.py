"""The allowance of a day on real PostgreSQL: several senders at once, crashes and refusals, and never one too many."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import psycopg
import pytest

from kizuna.core import clock
from kizuna.core.clock import DAY, MINUTE
from kizuna.engine.moment import Item
from kizuna.engine.slice import Workspace
from kizuna.messages import sql_sending
from kizuna.messages.deliver import deliver_remote
from kizuna.messages.desk import Desk
from kizuna.providers import Rejected, Unavailable, all_providers
from kizuna.testing.mail import TEMPLATE, plan, put_definition, put_profile, state_of
from kizuna.testing.scripted import KilledError, Scripted, kill_at
from kizuna.testing.tenant import PARTITIONS, make_workspace

Connection = psycopg.Connection[Any]
NOW = 1_796_126_400_000_000  # noon of 2026-12-01 in UTC
LIMITS = {"warm_up": {"start": "2026-12-01", "plan": [12, 15]}, "domains": {"gmail.com": {"per_day": 5}}}


@pytest.fixture
def desk() -> Desk:
    return Desk(PARTITIONS, [b"secret"], "https://kizuna.example")


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    provider = Scripted()
    monkeypatch.setitem(all_providers(), "scripted", provider)
    yield provider


@pytest.fixture
def shop(connection: Connection) -> Workspace:
    workspace = make_workspace(connection, now=NOW)
    put_definition(connection, workspace, "template", "hello", TEMPLATE)
    body = {"kind": "scripted", "channel": "email", "settings": {}, **LIMITS}
    put_definition(connection, workspace, "provider", "mail", body)
    return Workspace(workspace, "shop", "test", "UTC", "JPY", "opt_out", PARTITIONS)


def planned(connection: Connection, shop: Workspace, count: int, domain: str, **changes: Any) -> list[bytes]:
    people = [
        put_profile(connection, shop.id, f"{domain}-{number}", email=f"a{number}@{domain}") for number in range(count)
    ]
    times = {"at": NOW, "due_at": NOW, "expires_at": NOW + 3 * DAY, **changes}
    return [plan(connection, shop.id, person, **times) for person in people]


def counted(connection: Connection) -> dict[tuple[str, str], int]:
    found = connection.execute("SELECT day::text, domain, count FROM sent_on").fetchall()
    connection.commit()
    return {(day, domain): count for day, domain, count in found}


def drain(connection: Connection, desk: Desk, shop: Workspace, now: int, limit: int = 4) -> None:
    while deliver_remote(connection, desk, shop, "email", now, limit=limit) is not None:
        pass


class CountingDesk(Desk):
    """Knows how many messages it worded."""

    worded = 0

    def _compose(self, *given: Any, **named: Any) -> Any:
        self.worded += 1
        return super()._compose(*given, **named)


def test_what_is_beyond_the_days_allowance_is_not_worded(
    connection: Connection, shop: Workspace, scripted: Scripted
) -> None:
    desk = CountingDesk(PARTITIONS, [b"secret"], "https://kizuna.example")
    messages = planned(connection, shop, 40, "example.com")
    receipt = planned(connection, shop, 1, "docomo.ne.jp", transactional=True)
    drain(connection, desk, shop, NOW)
    assert desk.worded == 12
    assert [state_of(connection, each)[0] for each in messages].count("planned") == 28
    deliver_remote(connection, desk, shop, "email", NOW, is_urgent=True)
    assert state_of(connection, receipt[0])[0] == "sent"


def test_many_senders_at_once_are_never_above_plan(
    connection: Connection, database_url: str, desk: Desk, shop: Workspace, scripted: Scripted
) -> None:
    planned(connection, shop, 20, "gmail.com")
    planned(connection, shop, 20, "example.com")
    together = threading.Barrier(4)

    def send() -> None:
        with sql_sending.connected(database_url) as own:
            together.wait(30)
            drain(own, desk, shop, NOW)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(send) for _ in range(4)]:
            done.result(60)
    assert len(scripted.handed) == 12
    assert sum(each.address.endswith("@gmail.com") for each in scripted.handed) <= 5
    first = counted(connection)
    assert first["2026-12-01", ""] == 12
    assert first["2026-12-01", "gmail.com"] == sum(each.address.endswith("@gmail.com") for each in scripted.handed)
    with sql_sending.connected(database_url) as own:
        drain(own, desk, shop, NOW + DAY)
        assert len(scripted.handed) == 12 + 15
        drain(own, desk, shop, NOW + 2 * DAY)  # the plan is over: only the domain is limited
    found = counted(connection)
    assert max(count for (_, domain), count in found.items() if domain == "gmail.com") <= 5


def test_what_is_held_goes_at_midnight_with_a_fact_and_expires_where_that_is_late(
    connection: Connection, database_url: str, desk: Desk, shop: Workspace, scripted: Scripted
) -> None:
    gone = planned(connection, shop, 12, "example.com")
    (held,) = planned(connection, shop, 1, "example.org", due_at=NOW + 1)
    (late,) = planned(connection, shop, 1, "example.net", due_at=NOW + 1, expires_at=NOW + DAY // 2 - 1)
    (receipt,) = planned(connection, shop, 1, "gmail.com", transactional=True)
    with sql_sending.connected(database_url) as own:
        drain(own, desk, shop, NOW + MINUTE)
        assert deliver_remote(own, desk, shop, "email", NOW + MINUTE, is_urgent=True) is not None
    assert {state_of(connection, message) for message in [*gone, receipt]} == {("sent", None)}
    assert state_of(connection, late) == ("expired", "allowance_used")
    assert state_of(connection, held) == ("planned", None)
    due = connection.execute("SELECT due_at FROM message WHERE id = %s", [held]).fetchone()
    assert due == (NOW + DAY // 2,)
    rows = connection.execute("SELECT body FROM log").fetchall()
    connection.commit()
    facts = [item for (body,) in rows for item in msgspec.msgpack.decode(body, type=list[Item])]
    (deferred,) = [item for item in facts if item.name == "message_deferred"]
    assert msgspec.json.decode(deferred.properties)["due_at"] == clock.show(NOW + DAY // 2)
    assert counted(connection) == {("2026-12-01", ""): 13, ("2026-12-01", "gmail.com"): 1}


def test_what_the_provider_did_not_take_is_not_counted_and_what_it_refused_is(
    connection: Connection, database_url: str, desk: Desk, shop: Workspace, scripted: Scripted
) -> None:
    planned(connection, shop, 4, "gmail.com")
    scripted.answers = [Rejected("no such user"), Unavailable("down")]
    with sql_sending.connected(database_url) as own:
        deliver_remote(own, desk, shop, "email", NOW, limit=4)
    assert len(scripted.handed) == 2
    assert counted(connection) == {("2026-12-01", ""): 1, ("2026-12-01", "gmail.com"): 1}


def test_a_sender_that_dies_has_used_what_it_may_have_sent(
    connection: Connection, database_url: str, desk: Desk, shop: Workspace, scripted: Scripted
) -> None:
    planned(connection, shop, 20, "example.com")
    with sql_sending.connected(database_url) as own, pytest.raises(KilledError):
        deliver_remote(own, desk, shop, "email", NOW, limit=8, checkpoint=kill_at("carried"))
    with sql_sending.connected(database_url) as own:
        drain(own, desk, shop, NOW)
    assert len(scripted.handed) == 12
    assert counted(connection) == {("2026-12-01", ""): 12}

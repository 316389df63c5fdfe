"""A lane before a provider that fails: it rests, asks with one message, and goes on when that one is taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from kizuna.engine.slice import Workspace
from kizuna.messages.breaker import Breaker
from kizuna.messages.desk import Desk
from kizuna.messages.sender import Lane
from kizuna.providers.http import Outside
from kizuna.testing.mail import TEMPLATE, plan, put_definition, put_profile, state_of
from kizuna.testing.receiver import Receiver, Told
from kizuna.testing.tenant import PARTITIONS, make_workspace

Connection = psycopg.Connection[Any]
TAKEN = Told(200, body={"MessageID": "1"})


@pytest.fixture
def api() -> Iterator[Receiver]:
    with Receiver(TAKEN) as receiver:
        yield receiver


@pytest.fixture
def lane(connection: Connection, database_url: str, api: Receiver) -> Iterator[Lane]:
    number = make_workspace(connection)
    settings = {"token": "t", "from": "news@shop.example", "endpoint": api.url}
    put_definition(connection, number, "template", "hello", TEMPLATE)
    put_definition(
        connection, number, "provider", "mail", {"kind": "postmark", "channel": "email", "settings": settings}
    )
    outside = Outside(["127.0.0.0/8"], answer_seconds=5)
    desk = Desk(PARTITIONS, [b"secret"], "https://kizuna.example", outside)
    lane = Lane(database_url, desk, Workspace(number, "shop", "live", "UTC", "JPY", "opt_out", PARTITIONS), "email")
    yield lane
    lane.close()
    outside.close()


def planned(connection: Connection, lane: Lane, count: int) -> list[bytes]:
    people = [put_profile(connection, lane.workspace.id, f"user{number}") for number in range(count)]
    return [plan(connection, lane.workspace.id, person) for person in people]


def test_the_first_failure_ends_a_batch_and_opens_the_breaker(
    connection: Connection, lane: Lane, api: Receiver
) -> None:
    api.told = Told(503, {"Retry-After": "600"})
    messages = planned(connection, lane, 5)
    lane.start(0, lane.pace)
    assert api.arrived.acquire(timeout=30)
    lane.close()
    assert len(api.asked) == 1
    assert lane.pace.breaker.failures == 1
    assert [state_of(connection, message) for message in messages] == [("planned", None)] * 5
    tried = connection.execute("SELECT attempts, trouble FROM message ORDER BY attempts DESC").fetchall()
    connection.commit()
    assert tried == [(1, "503"), *[(0, None)] * 4]


@pytest.mark.parametrize(("told", "asked"), [(Told(500), 1), (TAKEN, 5)])
def test_after_a_rest_one_message_asks_for_all(
    connection: Connection, lane: Lane, api: Receiver, told: Told, asked: int
) -> None:
    api.told = told
    planned(connection, lane, 5)
    lane.pace.breaker = Breaker(3, 0.0)  # it has rested
    lane.start(0, lane.pace)
    assert all(api.arrived.acquire(timeout=30) for _ in range(asked))
    lane.close()
    assert len(api.asked) == asked
    assert lane.pace.breaker.failures == (4 if told.status == 500 else 0)


def test_that_it_rests_is_written_down_until_it_answers(connection: Connection, lane: Lane, api: Receiver) -> None:
    api.told = Told(503, {"Retry-After": "600"})
    planned(connection, lane, 2)
    lane.start(0, lane.pace)
    assert api.arrived.acquire(timeout=30)
    lane.close()
    assert resting(connection) == [("email", 1, "503", 600)]
    api.told = TAKEN
    back = Lane(lane.url, lane.desk, lane.workspace, "email")
    connection.execute("UPDATE message SET due_at = 0")
    connection.commit()
    back.start(0, back.pace)
    assert all(api.arrived.acquire(timeout=30) for _ in range(2))
    back.close()
    assert resting(connection) == []


def resting(connection: Connection) -> list[Any]:
    """(lane, failures, reason, seconds)"""
    found = connection.execute("SELECT lane, failures, reason, (rests_until - at) / 1000000 FROM lane_rest").fetchall()
    connection.commit()
    return [(lane, failures, reason, round(seconds)) for lane, failures, reason, seconds in found]

"""Codes on real PostgreSQL: none is given twice and none is lost, whoever else draws and whatever is killed."""

from __future__ import annotations

import os
import random
import threading
from typing import Any

import psycopg
import pytest

from kizuna.core.clock import DAY
from kizuna.engine.slice import Workspace
from kizuna.messages import sql_drawing, sql_sending
from kizuna.messages.deliver import deliver_local, deliver_remote, recover, tidy
from kizuna.messages.desk import Desk
from kizuna.promotions import sql_codes
from kizuna.promotions.sql_codes import Asked
from kizuna.providers import Accepted, Ambiguous, Outcome, Rejected, Unavailable, all_providers
from kizuna.runtime.database import connect
from kizuna.testing.mail import plan, put_definition, put_profile, state_of
from kizuna.testing.scripted import KilledError, Scripted, kill_at
from kizuna.testing.tenant import PARTITIONS, make_workspace

Connection = psycopg.Connection[Any]
TEMPLATE = {"channel": "email", "format": "liquid+text", "body": "{% promotion 'spring' %}"}


@pytest.fixture
def desk() -> Desk:
    return Desk(PARTITIONS, [b"secret"], "https://kizuna.example")


@pytest.fixture
def shop(connection: Connection) -> Workspace:
    workspace = make_workspace(connection)
    put_definition(connection, workspace, "template", "hello", TEMPLATE)
    put_definition(connection, workspace, "promotion", "spring", {"per_profile": 2})
    return Workspace(workspace, "shop", "live", "UTC", "JPY", "opt_out", PARTITIONS)


def add(connection: Connection, shop: Workspace, count: int) -> None:
    connection.execute(
        "INSERT INTO promotion_code (workspace, promotion, code) SELECT %s, 'spring', 'C' || n"
        " FROM generate_series(1, %s) n",
        [shop.id, count],
    )
    connection.commit()


def codes(connection: Connection) -> dict[str, tuple[str, bytes | None]]:
    """(state, message) by code."""
    rows = connection.execute("SELECT code, state, message FROM promotion_code ORDER BY number").fetchall()
    connection.commit()
    return {code: (state, message) for code, state, message in rows}


def now_of(connection: Connection, workspace: Workspace) -> int:
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        return sql_sending.now(cursor, workspace.id)


# over a network ------------------------------------------------------------------------------------------------------


@pytest.fixture
def carrier(connection: Connection, shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    scripted = Scripted()
    monkeypatch.setitem(all_providers(), "scripted", scripted)
    body = {"kind": "scripted", "channel": "email", "settings": {}}
    put_definition(connection, shop.id, "provider", "mail", body)
    return scripted


@pytest.mark.parametrize(
    ("outcome", "state", "kept"),
    [
        (Accepted(), "committed", True), (Rejected("no"), "free", False), (Ambiguous("?"), "reserved", True),
        (Unavailable("later"), "reserved", True),
    ],
)  # fmt: skip
def test_what_becomes_of_a_message_becomes_of_its_code(
    connection: Connection, desk: Desk, shop: Workspace, carrier: Scripted, outcome: Outcome, state: str, kept: bool
) -> None:
    add(connection, shop, 1)
    message = plan(connection, shop.id, put_profile(connection, shop.id, "ada"))
    carrier.answers = [outcome]
    deliver_remote(connection, desk, shop, "email", now_of(connection, shop))
    assert codes(connection) == {"C1": (state, message if kept else None)}


@pytest.mark.parametrize("point", ["handed", "carried"])
def test_after_a_crash_the_same_code_is_said_again(
    connection: Connection, desk: Desk, shop: Workspace, carrier: Scripted, point: str
) -> None:
    add(connection, shop, 3)
    message = plan(connection, shop.id, put_profile(connection, shop.id, "ada"), transactional=True)
    now = now_of(connection, shop)
    with pytest.raises(KilledError):
        deliver_remote(connection, desk, shop, "email", now, lease=0.0, checkpoint=kill_at(point), is_urgent=True)
    recover(connection, desk)
    carrier.answers = [Unavailable("later"), Accepted()]
    for later in (now + DAY, now + 2 * DAY):
        deliver_remote(connection, desk, shop, "email", later, is_urgent=True)
    assert {each.text for each in carrier.handed} == {"C1"}
    assert codes(connection) == {"C1": ("committed", message), "C2": ("free", None), "C3": ("free", None)}


@pytest.mark.parametrize(("transactional", "reason"), [(True, None), (False, "promotion_over")])
def test_a_receipt_that_is_tried_again_keeps_its_code_when_the_promotion_is_over(
    connection: Connection, desk: Desk, shop: Workspace, carrier: Scripted, transactional: bool, reason: str | None
) -> None:
    add(connection, shop, 1)
    now = now_of(connection, shop)
    ada, bob = (put_profile(connection, shop.id, who) for who in ("ada", "bob"))
    message = plan(connection, shop.id, ada, transactional=transactional, due_at=now)
    carrier.answers = [Unavailable("later"), Accepted()]
    deliver_remote(connection, desk, shop, "email", now, is_urgent=transactional)
    over = "UPDATE definition SET body = jsonb_build_object('until', '2001-01-01T00:00:00Z') WHERE kind = 'promotion'"
    connection.execute(over)
    connection.commit()
    late = plan(connection, shop.id, bob, transactional=transactional, due_at=now)
    for later in (now + DAY, now + 2 * DAY):  # one goes first, after a failure
        deliver_remote(connection, desk, shop, "email", later, is_urgent=transactional)
    assert state_of(connection, message) == ("skipped" if reason else "sent", reason)
    assert state_of(connection, late) == ("skipped", "promotion_over")
    assert codes(connection) == {"C1": ("free", None) if reason else ("committed", message)}


@pytest.mark.parametrize("ends", ["ambiguous", "crash"])
def test_a_code_that_a_customer_may_know_is_nobody_elses(
    connection: Connection, desk: Desk, shop: Workspace, carrier: Scripted, ends: str
) -> None:
    """It may have arrived, and then expires before it could be sent again."""
    add(connection, shop, 1)
    now = now_of(connection, shop)
    ada, bob = (put_profile(connection, shop.id, who) for who in ("ada", "bob"))
    receipt = plan(connection, shop.id, ada, transactional=True, due_at=now, expires_at=now + DAY)
    carrier.answers = [Ambiguous("?")]
    if ends == "crash":
        with pytest.raises(KilledError):
            deliver_remote(
                connection, desk, shop, "email", now, lease=0.0, checkpoint=kill_at("carried"), is_urgent=True
            )
        recover(connection, desk)
    else:
        deliver_remote(connection, desk, shop, "email", now, is_urgent=True)
    deliver_remote(connection, desk, shop, "email", now + 2 * DAY, is_urgent=True)
    assert state_of(connection, receipt) == ("expired", None)
    other = plan(connection, shop.id, bob, due_at=now)
    deliver_remote(connection, desk, shop, "email", now)
    assert state_of(connection, other) == ("skipped", "no_code")
    assert codes(connection) == {"C1": ("committed", receipt)}


def test_what_was_given_before_two_records_were_joined_counts_for_both(
    connection: Connection, desk: Desk, shop: Workspace
) -> None:
    add(connection, shop, 3)
    old, between, ada = (put_profile(connection, shop.id, who) for who in ("old", "between", "ada"))
    for profile in (old, between):
        plan(connection, shop.id, profile)
    deliver_local(connection, desk, shop, [("email", False)], now_of(connection, shop), 10)
    for given, into in ((old, between), (between, ada)):
        connection.execute("UPDATE profile SET merged_into = %s WHERE id = %s", [into, given])
    connection.commit()
    third = plan(connection, shop.id, ada)
    deliver_local(connection, desk, shop, [("email", False)], now_of(connection, shop), 10)
    assert state_of(connection, third) == ("skipped", "code_limit")


def test_all_channels_of_a_message_say_the_same_code(connection: Connection, desk: Desk, shop: Workspace) -> None:
    add(connection, shop, 3)
    ada = put_profile(connection, shop.id, "ada", phone="+14155550100")
    for channel in ("email", "sms"):
        plan(connection, shop.id, ada, channel=channel, purpose="journey:x:y", occurrence="r1")
    deliver_local(connection, desk, shop, [("email", False), ("sms", False)], now_of(connection, shop), 10)
    assert [state for state, _ in codes(connection).values()] == ["committed", "free", "free"]
    said = connection.execute("SELECT DISTINCT body FROM message").fetchall()
    assert said == [("C1",)]


def test_what_ended_elsewhere_is_settled_by_the_sweep(
    connection: Connection, desk: Desk, shop: Workspace, carrier: Scripted
) -> None:
    add(connection, shop, 2)
    messages = [
        plan(connection, shop.id, put_profile(connection, shop.id, who), due_at=n) for n, who in enumerate("ab")
    ]
    carrier.answers = [Ambiguous("?"), Ambiguous("?")]
    deliver_remote(connection, desk, shop, "email", now_of(connection, shop), limit=2)
    tidy(connection)
    assert {state for state, _ in codes(connection).values()} == {"reserved"}
    for message, state in zip(messages, ("delivered", "rejected"), strict=True):
        connection.execute("UPDATE message SET state = %s WHERE id = %s", [state, message])
    connection.commit()
    tidy(connection)
    assert codes(connection) == {"C1": ("committed", messages[0]), "C2": ("free", None)}


def test_a_code_in_the_hands_of_others_is_waited_for(
    connection: Connection, database_url: str, desk: Desk, shop: Workspace
) -> None:
    add(connection, shop, 1)
    message = plan(connection, shop.id, put_profile(connection, shop.id, "ada"))
    with connect(database_url) as other, other.cursor(binary=True) as cursor:
        sql_codes.reserve(cursor, shop.id, "spring", [Asked(b"m" * 16, b"p" * 16, b"h" * 16)], 1)
        assert deliver_local(connection, desk, shop, [("email", False)], now_of(connection, shop), 10) == 1
        assert state_of(connection, message) == ("planned", None)
        other.rollback()
    deliver_local(connection, desk, shop, [("email", False)], now_of(connection, shop), 10)
    assert state_of(connection, message) == ("sent", None)


# many at once --------------------------------------------------------------------------------------------------------


def test_many_who_draw_and_are_killed_never_share_a_code(
    connection: Connection, database_url: str, shop: Workspace
) -> None:
    """Four drawers over the same messages, each batch committed, rolled back or cut off; then every message ends."""
    add(connection, shop, 60)
    profiles = [os.urandom(16) for _ in range(25)]
    asked = [Asked(os.urandom(16), profiles[n % 25], os.urandom(16)) for n in range(100)]
    told: dict[bytes, set[str]] = {each.holder: set() for each in asked}
    failures: list[BaseException] = []

    def draw(seed: int) -> None:
        chance = random.Random(seed)
        try:
            for _ in range(25):
                batch = chance.sample(asked, chance.randint(1, 8))
                with connect(database_url) as mine, mine.cursor(binary=True) as cursor:
                    sql_codes.lock_owners(cursor, shop.id, [each.profile for each in batch])
                    drawn = sql_codes.reserve(cursor, shop.id, "spring", batch, 2)
                    match chance.randint(0, 3):
                        case 0:
                            mine.rollback()
                        case 1:
                            mine.close()  # as a kill leaves it
                        case _:
                            mine.commit()
                            for each in batch:
                                if each.message in drawn.codes:
                                    told[each.holder].add(drawn.codes[each.message])
        except BaseException as failure:  # the thread's edge
            failures.append(failure)

    threads = [threading.Thread(target=draw, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    given = [code for said in told.values() for code in said]
    assert all(len(said) <= 1 for said in told.values())  # one message, one code, whenever it asked
    assert len(given) == len(set(given))  # and nobody else's
    held = connection.execute("SELECT code, profile, holder FROM promotion_code WHERE state = 'reserved'").fetchall()
    assert {code for code, _, _ in held} == set(given)
    counts = [sum(profile == each for _, profile, _ in held) for each in profiles]
    assert max(counts) <= 2
    with connection.cursor(binary=True) as cursor:
        sql_codes.commit(cursor, shop.id, [each.message for each in asked[::2]])
        sql_codes.release(cursor, shop.id, [each.message for each in asked])
    states = connection.execute("SELECT state, count(*) FROM promotion_code GROUP BY state").fetchall()
    assert sum(count for _, count in states) == 60
    assert {state for state, _ in states} <= {"free", "committed"}


def test_sql_drawing_names_one_holder_for_all_channels(connection: Connection, shop: Workspace) -> None:
    ada = put_profile(connection, shop.id, "ada")
    messages = [
        plan(connection, shop.id, ada, channel=channel, occurrence=occurrence)
        for channel, occurrence in (("email", "r1"), ("sms", "r1"), ("email", "r2"))
    ]
    with connection.cursor(binary=True) as cursor:
        found = sql_drawing.holders(cursor, shop.id, messages)
    assert len(set(found.values())) == 2
    assert found[messages[0]] == found[messages[1]]

"""Doctor finds what is overdue, and says when all is well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from kizuna.core import ids
from kizuna.engine.moment import Item
from kizuna.folds import deep_questions, new_engine
from kizuna.runtime import doctor
from kizuna.runtime.archiver import Archiver
from kizuna.runtime.doctor import Question, disk, examine, questions, sql
from kizuna.segments import agree
from kizuna.testing.mail import put_definition
from kizuna.testing.tenant import PARTITIONS, an_item, append, make_workspace

from .lake_builder import START, History, Place


def broken(url: str) -> dict[str, int]:
    return {check.name: check.found for check in examine(url) if not check.ok}


def test_a_fresh_database_is_well(database_url: str) -> None:
    assert broken(database_url) == {}


def test_an_empty_database_is_behind(empty_database_url: str) -> None:
    assert list(broken(empty_database_url)) == ["schema_current"]


def test_nobody_there() -> None:
    assert list(broken("postgresql://kizuna@/kizuna?host=/nowhere")) == ["database_reachable"]


def test_overdue_things_are_counted(database_url: str, connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        "INSERT INTO workspace (name, clock, zone, currency, consent, created_at)"
        " VALUES ('shop', 'live', 'UTC', 'USD', 'opt_out', 0)"
    )
    connection.execute(
        "INSERT INTO alarm (workspace, partition, at, profile)"
        " VALUES (1, 0, 1, '\\x01'), (1, 0, real_now() + 3600000000, '\\x02')"
    )
    connection.execute(
        'INSERT INTO log_head (workspace, partition, "offset", at, applied)'
        " VALUES (1, 0, 2, 1, 1), (1, 1, 2, real_now(), 1), (1, 2, 2, 1, 2)"
    )
    connection.commit()
    assert broken(database_url) == {"timers_unfired": 1, "log_unread": 1}


# each question finds what it asks for --------------------------------------------------------------------------------

Connection = psycopg.Connection[Any]
PROFILE = "INSERT INTO profile (workspace, id, partition, created_at, last_seen_at) VALUES (1, '\\x01', 0, 0, 0)"
MESSAGE = (
    "INSERT INTO message (workspace, id, profile, state, channel, purpose, occurrence, planned_at, due_at, expires_at,"
    " root, address, history) VALUES (1, '\\x{id}', '\\x01', '{state}', 'email', 'api', 'o', 0, real_now(), {expires},"
    " 1, 'Ada@x', '{history}')"
)


def message(
    *, number: str = "01", state: str = "sent", expires: str = "real_now() + 3600000000", history: str = "{}"
) -> str:
    return MESSAGE.format(id=number, state=state, expires=expires, history=history)


LOG = "INSERT INTO log SELECT 1, 0, \"offset\", 5, 1, 2, 0, '', '' FROM unnest(ARRAY[{}]) AS \"offset\""
HEAD = "UPDATE log_head SET {} WHERE workspace = 1 AND partition = 0"

FAULTS: dict[str, list[str]] = {
    "log_unread": [HEAD.format('"offset" = 2, applied = 1, at = 5'), LOG.format("1, 2")],
    "log_offsets_in_order": [HEAD.format('"offset" = 2, applied = 3')],
    "log_holes": [HEAD.format('"offset" = 3, applied = 3, at = 5'), LOG.format("1, 3")],
    "log_time_falls": [
        HEAD.format('"offset" = 2, applied = 2, at = 5'),
        LOG.format("1, 2"),
        'UPDATE log SET at = 4 WHERE "offset" = 2',
    ],
    "duplicates_without_item": [
        HEAD.format('"offset" = 1, applied = 1, at = 5'),
        LOG.format("1"),
        "INSERT INTO duplicate VALUES (1, 0, 1, 0)",
    ],
    "timers_unfired": ["INSERT INTO alarm (workspace, partition, at, profile) VALUES (1, 0, 1, '\\x01')"],
    "messages_unclaimed": [message(state="planned"), "UPDATE message SET due_at = 1"],
    "letters_without_font": [
        message(state="planned"),
        "UPDATE message SET channel = 'letter', template = 'autumn', trouble = 'no_font: no font here has 様'",
    ],
    "messages_unended": [message(state="planned", expires="1")],
    "messages_in_no_state": [message(state="lost")],
    "messages_granted_twice": [message(), message(number="02")],
    "messages_sent_twice": [message(history=f"{{{1 << 5 | 7}, {2 << 5 | 7}}}")],
    "vetoes_unfolded": ["INSERT INTO veto VALUES (1, '\\x01', 'v', 'email', '', 1)"],
    "sent_to_suppressed": [
        "INSERT INTO suppression VALUES (1, 'email', 'ada@x', 'hard_bounce', 0)",
        message(history=f"{{{400_000_000 << 5 | 2}}}"),
    ],
    "memberships_miscounted": [
        "INSERT INTO counter VALUES (1, 'segment:vip', 0, 3), (1, 'segment:vip', 1, -1)",
        "INSERT INTO membership VALUES (1, 'vip', '\\x01', 0)",
    ],
    "memberships_uncounted": ["INSERT INTO membership VALUES (1, 'vip', '\\x01', 0)"],
    "counters_negative": ["INSERT INTO counter VALUES (1, 'journey:x:entered', 0, 1), (1, 'journey:x:entered', 1, -2)"],
    "profiles_parked": ["INSERT INTO parked VALUES (1, '\\x01', 0, 1, 0, 1, 1, '', 'ValueError')"],
    "fills_waiting": ["INSERT INTO fill VALUES (1, 1, 1, '{}', 'segment', 'waiting')"],
    "rows_without_workspace": ["INSERT INTO counter VALUES (7, 'x', 0, 1)"],
    "profiles_of_two_workspaces": [
        PROFILE,
        PROFILE.replace("VALUES (1", "VALUES (2"),
        "INSERT INTO workspace (name, clock, zone, currency, consent, created_at)"
        " VALUES ('b', 'live', 'UTC', 'USD', 'opt_out', 0)",
    ],
    "zones_unknown": ["UPDATE workspace SET zone = 'Mars/Olympus'"],
    "log_ahead_of_clock": [HEAD.format("at = real_now() + 3600000000")],
    "lake_behind": [
        HEAD.format('"offset" = 1, applied = 1, at = 5'),
        LOG.format("1"),
        "UPDATE log SET kind = 1",
    ],
}
LISTED: dict[str, list[str]] = {
    "sending_locked": ["UPDATE installation SET sending_locked_at = 1"],
    "templates_refused": [message(), "INSERT INTO harm SELECT 1, id, 'refused_content', real_now() FROM message"],
    "senders_refused": [message(), "INSERT INTO harm SELECT 1, id, 'refused_sender', real_now() FROM message"],
    "events_refused": [
        "INSERT INTO rejected (workspace, at, code, message, source, body)"
        " SELECT 1, real_now(), 'c', 'm', 's', '' FROM generate_series(1, 1000)"
    ],
    "feeds_failing": [
        "INSERT INTO feed (workspace, name, partitions, offsets, tries) VALUES (1, 'crm', '{}', '{}', 3)",
    ],
    "promotion_codes_low": [
        "INSERT INTO definition (workspace, kind, name, version, status, body, introduced, published_at)"
        " VALUES (1, 'promotion', 'spring', 1, 'active', '{}', 1, 0)",
        "INSERT INTO promotion_pool VALUES (1, 'spring', 20)",
        "INSERT INTO promotion_code (workspace, promotion, code, state)"
        " SELECT 1, 'spring', n::text, CASE WHEN n <= 2 THEN 'free' ELSE 'committed' END"
        " FROM generate_series(1, 20) AS n",
    ],
    "records_large": [PROFILE, "UPDATE profile SET journeys = convert_to(repeat('x', 70000), 'UTF8')"],
    "profiles_busy": [
        HEAD.format('"offset" = 1, applied = 1, archived = 1, at = real_now()'),
        "INSERT INTO log VALUES"
        " (1, 0, 1, real_now() - 1000000, 1, 0, 10001, decode(repeat('0102030405060708', 10001), 'hex'), '')",
    ],
}


def put(connection: Connection, statements: list[str]) -> None:
    make_workspace(connection)
    for statement in statements:
        connection.execute(statement)  # type: ignore[arg-type]
    connection.commit()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_nothing_else(name: str, database_url: str, connection: Connection) -> None:
    put(connection, FAULTS[name])
    assert list(broken(database_url)) == [name]


@pytest.mark.parametrize("name", LISTED)
def test_what_is_only_worth_knowing_breaks_nothing(name: str, database_url: str, connection: Connection) -> None:
    put(connection, LISTED[name])
    checks = {check.name: check for check in examine(database_url)}
    assert all(check.ok for check in checks.values())
    assert checks[name].found


def test_every_invariant_and_every_question_is_tested() -> None:
    asked = [*questions(), *deep_questions()]
    assert {question.invariant for question in asked} >= set(range(1, 11))
    tested = FAULTS.keys() | LISTED.keys() | {"lake_gaps", "disk_full"} | {q.name for q in deep_questions()}
    assert tested == {question.name for question in asked}
    assert len({question.name for question in asked}) == len(asked)


def test_a_locked_copy_owes_no_message(database_url: str, connection: Connection) -> None:
    put(connection, [*FAULTS["messages_unclaimed"], *LISTED["sending_locked"]])
    assert broken(database_url) == {}


def test_a_question_without_an_answer_in_time_breaks_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "SECONDS", 0.05)
    slow = Question(name="slow", invariant=0, ask=sql("SELECT 1, '', 1 FROM pg_sleep(20)"), advice="")
    last = examine(database_url, deep=[slow])[-1]
    assert last.ok
    assert "not known" in last.message


def test_a_full_disk_is_found(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LEAST_BYTES", 1 << 60)
    found = {check.name for check in examine(database_url, Place(tmp_path)) if not check.ok}
    assert found == {"disk_full"}


def test_rows_that_are_neither_in_the_log_nor_in_the_lake_are_found(
    database_url: str, connection: Connection, tmp_path: Path
) -> None:
    connection.autocommit = True
    place, history = Place(tmp_path), History(connection)
    history.say([Item(ids.profile_id(1, "user", "ada"), "e1", "track", "Opened", START)])
    Archiver(place, connection).turn()
    assert gaps_at(database_url, place) == 0
    connection.execute("DELETE FROM log")
    assert gaps_at(database_url, place) == 0
    history.say([Item(ids.profile_id(1, "user", "ada"), "e2", "track", "Opened", START)])
    assert gaps_at(database_url, place) == 0
    connection.execute("DELETE FROM log")
    assert gaps_at(database_url, place) == 1


def test_a_lake_that_is_ahead_of_the_state_is_found(database_url: str, connection: Connection, tmp_path: Path) -> None:
    connection.autocommit = True
    place, history = Place(tmp_path), History(connection)
    history.say([Item(ids.profile_id(1, "user", "ada"), "e1", "track", "Opened", START)])
    Archiver(place, connection).turn()
    connection.execute('UPDATE log_head SET "offset" = 0, applied = 0, archived = 0')
    connection.execute("DELETE FROM log")
    history.say([], folded=True)
    connection.execute('UPDATE log_head SET "offset" = 1')
    assert gaps_at(database_url, place) == 1


def gaps_at(url: str, place: Place) -> int:
    return next(check.found for check in examine(url, place) if check.name == "lake_gaps")


# what is inside of records and items ---------------------------------------------------------------------------------


@pytest.fixture
def folded(connection: Connection) -> Connection:
    """Some customers, one of whom waits in a journey."""
    workspace = make_workspace(connection)
    document = {"name": "j", "entry": {"on": {"event": "Viewed"}}, "steps": [{"id": "wait", "delay": "1d"}]}
    put_definition(connection, workspace, "journey", "j", document)
    put_definition(connection, workspace, "segment", "viewers", {"title": "V", "where": {"did": "Viewed"}})
    connection.execute("UPDATE log_head SET program = 2")
    append(connection, workspace, [an_item(workspace, f"m{n}", user=f"u{n}") for n in range(5)])
    append(connection, workspace, [an_item(workspace, "m1", user="u1")])  # a duplicate
    engine = new_engine(connection)
    engine.own(connection, range(PARTITIONS))
    while engine.run(connection):
        pass
    connection.commit()
    assert connection.execute("SELECT count(*) FROM profile WHERE wake_at > 0").fetchone() == (5,)
    return connection


def deep(url: str) -> dict[str, int]:
    return {check.name: check.found for check in examine(url, deep=deep_questions()) if not check.ok}


def test_what_was_folded_is_well(database_url: str, folded: Connection) -> None:
    folded.commit()
    assert deep(database_url) == {}


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("records_unreadable", "UPDATE profile SET consent = '\\xc1' WHERE id = (SELECT min(id) FROM profile)"),
        ("timers_forgotten", "UPDATE profile SET wake_at = NULL WHERE id = (SELECT min(id) FROM profile)"),
        ("timers_forgotten", "UPDATE profile SET wake_at = wake_at + 1 WHERE id = (SELECT min(id) FROM profile)"),
        ("events_unseen", "DELETE FROM seen WHERE id = (SELECT min(id) FROM seen)"),
        ("events_unseen", "DELETE FROM duplicate"),  # as if the second were folded too
    ],
)
def test_a_fault_inside_is_found(name: str, statement: Any, database_url: str, folded: Connection) -> None:
    folded.execute(statement)
    folded.commit()
    assert deep(database_url) == {name: 1}


def test_readings_that_disagree_are_found(database_url: str, folded: Connection, tmp_path: Path) -> None:
    def disagree() -> int:
        asked = [agree.question()]
        return next(c.found for c in examine(database_url, Place(tmp_path), asked) if c.name == "segments_disagree")

    assert folded.execute("SELECT count(*) FROM membership").fetchone() == (5,)
    folded.commit()
    assert disagree() == 0
    folded.execute("DELETE FROM membership WHERE profile = (SELECT min(profile) FROM membership)")
    folded.commit()
    assert disagree() == 1
    folded.execute("INSERT INTO membership VALUES (1, 'viewers', '\\x00', 1)")
    folded.commit()
    assert disagree() == 2

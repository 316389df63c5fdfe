"""The ledger on real PostgreSQL: claims that refuse, deliveries that happen once, crashes on the way."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import psycopg
import pytest

from kizuna.campaigns.store import ABORT
from kizuna.consent import store as consent_store
from kizuna.consent.section import Consent
from kizuna.core.clock import DAY, SECOND
from kizuna.engine.moment import Item
from kizuna.engine.slice import Workspace
from kizuna.messages import sql_sending, store
from kizuna.messages.deliver import deliver_local, deliver_remote, recover
from kizuna.messages.desk import Desk
from kizuna.messages.message import AdvanceMessage, CancelPlanned, read_passed
from kizuna.profiles.section import Profile
from kizuna.providers import Accepted, Ambiguous, Outcome, Rejected, Unavailable, all_providers
from kizuna.runtime.database import connect
from kizuna.testing.mail import TEMPLATE, plan, put_definition, put_profile, state_of
from kizuna.testing.scripted import KilledError, Scripted, kill_at
from kizuna.testing.tenant import PARTITIONS, make_workspace

URL = "https://kizuna.example"
BOTH = [("email", True), ("email", False)]  # transactional messages, and all others
Connection = psycopg.Connection[Any]


@pytest.fixture
def desk() -> Desk:
    return Desk(PARTITIONS, [b"secret"], URL)


@pytest.fixture
def shop(connection: Connection) -> Workspace:
    workspace = make_workspace(connection)
    put_definition(connection, workspace, "template", "hello", TEMPLATE)
    return Workspace(workspace, "shop", "live", "UTC", "JPY", "opt_out", PARTITIONS)


def now_of(connection: Connection, workspace: Workspace) -> int:
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        return sql_sending.now(cursor, workspace.id)


def deliver(connection: Connection, desk: Desk, shop: Workspace, **changes: Any) -> int:
    return deliver_local(connection, desk, shop, BOTH, changes.get("now") or now_of(connection, shop), 100)


def reports(connection: Connection, workspace: Workspace) -> list[Item]:
    rows = connection.execute('SELECT body FROM log WHERE workspace = %s ORDER BY partition, "offset"', [workspace.id])
    found = [item for (body,) in rows.fetchall() for item in msgspec.msgpack.decode(body, type=list[Item])]
    connection.commit()
    return found


def outbox(connection: Connection, workspace: Workspace) -> list[dict[str, Any]]:
    rows = connection.execute("SELECT item FROM outbox WHERE workspace = %s ORDER BY id", [workspace.id]).fetchall()
    connection.commit()
    return [item for (item,) in rows]


def test_a_planned_message_reaches_the_outbox_with_its_report(
    connection: Connection, desk: Desk, shop: Workspace
) -> None:
    ada = put_profile(connection, shop.id, "ada")
    message = plan(connection, shop.id, ada, journey="welcome", run="r1", step="mail", root=7)
    assert deliver(connection, desk, shop) == 1
    assert state_of(connection, message) == ("sent", None)
    (item,) = outbox(connection, shop)
    assert item["to"] == "ada@example.com"
    assert item["subject"] == "Hello Ada"
    assert item["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert item["headers"]["List-Unsubscribe"].startswith(f"<{URL}/u/")
    assert f'href="{URL}/c/' in item["body"]
    assert (item["journey"], item["step"]) == ("welcome", "mail")
    (report,) = reports(connection, shop)
    assert (report.name, report.profile, report.type) == ("message_sent", ada, "report")
    assert connection.execute("SELECT DISTINCT root FROM log").fetchall() == [(7,)]
    connection.commit()
    assert deliver(connection, desk, shop) == 0


def test_a_claim_refuses_with_its_reason(connection: Connection, desk: Desk, shop: Workspace) -> None:
    out = Consent(channels={"email": "opted_out"})
    topical = Consent(topics={"email": {"news": "opted_out"}})
    cases: list[tuple[bytes, dict[str, Any], tuple[str, str | None]]] = [
        (put_profile(connection, shop.id, "out", out), {}, ("skipped", "no_consent")),
        (put_profile(connection, shop.id, "topical", topical), {"topic": "news"}, ("skipped", "no_consent")),
        (put_profile(connection, shop.id, "nowhere", email=None), {}, ("skipped", "no_address")),
        (put_profile(connection, shop.id, "wrong", email="not an address"), {}, ("skipped", "invalid_address")),
        (put_profile(connection, shop.id, "late"), {"expires_at": 1}, ("expired", None)),
        (put_profile(connection, shop.id, "lost"), {"template": "gone"}, ("skipped", "template_error")),
        (b"0" * 16, {}, ("skipped", "erased")),
    ]
    planned = [(plan(connection, shop.id, profile, **changes), wanted) for profile, changes, wanted in cases]
    fine = plan(connection, shop.id, put_profile(connection, shop.id, "fine"))
    receipt = plan(connection, shop.id, cases[0][0], transactional=True)
    deliver(connection, desk, shop)
    assert [state_of(connection, message) for message, _ in planned] == [wanted for _, wanted in planned]
    assert state_of(connection, fine) == ("sent", None)
    assert state_of(connection, receipt) == ("sent", None)
    assert sorted(item.name for item in reports(connection, shop)).count("message_skipped") == 6
    receipts = [item for item in outbox(connection, shop) if item["to"] == "out@example.com"]
    assert [item["headers"].get("List-Unsubscribe") for item in receipts] == [None]


def test_an_opt_out_not_yet_folded_stops_the_claim(connection: Connection, desk: Desk, shop: Workspace) -> None:
    ada = put_profile(connection, shop.id, "ada")
    connection.execute(*consent_store.vetoes(shop.id, [(ada, "evt_1", "email", "")]))
    connection.commit()
    message = plan(connection, shop.id, ada, topic="news")
    receipt = plan(connection, shop.id, ada, transactional=True)
    deliver(connection, desk, shop)
    assert state_of(connection, message) == ("skipped", "no_consent")
    assert state_of(connection, receipt) == ("sent", None)


def test_an_opt_out_from_one_topic_leaves_the_others(connection: Connection, desk: Desk, shop: Workspace) -> None:
    ada = put_profile(connection, shop.id, "ada")
    connection.execute(*consent_store.vetoes(shop.id, [(ada, "evt_1", "email", "news")]))
    connection.commit()
    news, offers = plan(connection, shop.id, ada, topic="news"), plan(connection, shop.id, ada, topic="offers")
    deliver(connection, desk, shop)
    assert state_of(connection, news) == ("skipped", "no_consent")
    assert state_of(connection, offers) == ("sent", None)


def test_a_message_to_a_merged_record_goes_to_the_survivor(connection: Connection, desk: Desk, shop: Workspace) -> None:
    ada = put_profile(connection, shop.id, "ada")
    old = put_profile(connection, shop.id, "old", email="old@example.com")
    connection.execute(
        "UPDATE profile SET merged_into = %s, traits = '{}', profiles = %s WHERE id = %s",
        [ada, msgspec.msgpack.encode(Profile(merged_into=ada)), old],
    )
    connection.commit()
    plan(connection, shop.id, old)
    deliver(connection, desk, shop)
    assert [item["to"] for item in outbox(connection, shop)] == ["ada@example.com"]
    assert [report.profile for report in reports(connection, shop)] == [ada]


def test_suppressed_addresses_get_nothing_whoever_has_them(connection: Connection, desk: Desk, shop: Workspace) -> None:
    effect = consent_store.Suppress("email", "ada@example.com", "hard_bounce", 1)
    with connection.cursor(binary=True) as cursor:
        consent_store.suppress(cursor, shop.id, [effect, effect])
    connection.commit()
    message = plan(connection, shop.id, put_profile(connection, shop.id, "other", email="Ada@Example.com"))
    deliver(connection, desk, shop)
    assert state_of(connection, message) == ("skipped", "suppressed")


def test_leaving_a_run_skips_what_it_planned(connection: Connection, desk: Desk, shop: Workspace) -> None:
    ada = put_profile(connection, shop.id, "ada")
    gone = plan(connection, shop.id, ada, run="r1", journey="welcome")
    stays = plan(connection, shop.id, ada, run="r2", journey="welcome")
    with connection.cursor(binary=True) as cursor:
        store.cancel(cursor, shop.id, [CancelPlanned(ada, "r1", 5)])
    connection.commit()
    deliver(connection, desk, shop)
    assert state_of(connection, gone) == ("skipped", "exited")
    assert state_of(connection, stays) == ("sent", None)


def test_the_same_message_is_planned_once(connection: Connection, shop: Workspace) -> None:
    ada = put_profile(connection, shop.id, "ada")
    message = plan(connection, shop.id, ada)
    plan(connection, shop.id, ada, id=message, state="skipped")
    assert state_of(connection, message) == ("planned", None)


def test_two_senders_never_deliver_the_same_message(
    connection: Connection, database_url: str, desk: Desk, shop: Workspace
) -> None:
    for number in range(120):
        plan(connection, shop.id, put_profile(connection, shop.id, f"user{number}"))

    def send() -> int:
        taken = 0
        with connect(database_url) as mine:
            while count := deliver_local(mine, desk, shop, BOTH, now_of(mine, shop), 10):
                taken += count
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [pool.submit(send) for _ in range(4)]
        assert sum(future.result() for future in taken) == 120
    assert len({item["to"] for item in outbox(connection, shop)}) == len(outbox(connection, shop)) == 120
    assert len(reports(connection, shop)) == 120


def test_reports_move_the_state_up_only(connection: Connection, shop: Workspace) -> None:
    message = plan(connection, shop.id, put_profile(connection, shop.id, "ada"))
    said = [
        AdvanceMessage(message, "clicked", 30, None),
        AdvanceMessage(message, "delivered", 10, None),
        AdvanceMessage(message, "opened", 20, None),
    ]
    with connection.cursor(binary=True) as cursor:
        store.advance(cursor, shop.id, said[:2])
        store.advance(cursor, shop.id, said[2:])
    connection.commit()
    assert state_of(connection, message) == ("clicked", None)
    (history,) = connection.execute("SELECT history FROM message").fetchone() or ([],)
    assert [read_passed(each)[0] for each in history] == ["planned", "clicked", "delivered", "opened"]


def test_a_test_clock_delivers_at_the_planned_instant(connection: Connection, desk: Desk) -> None:
    workspace = make_workspace(connection, "test", now=100 * DAY)
    put_definition(connection, workspace, "template", "hello", TEMPLATE)
    shop = Workspace(workspace, "test", "test", "UTC", "JPY", "opt_out", PARTITIONS)
    ada = put_profile(connection, workspace, "ada")
    plan(connection, workspace, ada, due_at=3 * DAY, expires_at=5 * DAY)
    plan(connection, workspace, ada, due_at=101 * DAY, expires_at=200 * DAY)
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        ((found, now, channel, is_urgent, carrier),) = sql_sending.due(cursor)
    assert (found.id, now, channel, is_urgent, carrier) == (workspace, 100 * DAY, "email", False, None)
    assert deliver(connection, desk, shop, now=now) == 1
    assert connection.execute("SELECT at FROM outbox").fetchall() == [(3 * DAY,)]
    connection.commit()


# over a network: a carrier in memory stands at the seam --------------------------------------------------------------


@pytest.fixture
def carrier(connection: Connection, shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    scripted = Scripted()
    monkeypatch.setitem(all_providers(), "scripted", scripted)
    body = {"kind": "scripted", "channel": "email", "settings": {}}
    put_definition(connection, shop.id, "provider", "mail", body)
    return scripted


@pytest.mark.parametrize(("point", "handed"), [("handed", 0), ("carried", 1)])
def test_marketing_lost_between_hand_over_and_answer_is_unknown_and_never_sent_again(
    connection: Connection, desk: Desk, shop: Workspace, carrier: Scripted, point: str, handed: int
) -> None:
    message = plan(connection, shop.id, put_profile(connection, shop.id, "ada"))
    now = now_of(connection, shop)
    with pytest.raises(KilledError):
        deliver_remote(connection, desk, shop, "email", now, lease=0.0, checkpoint=kill_at(point))
    assert state_of(connection, message) == ("handed", None)
    assert recover(connection, desk) == 1
    assert state_of(connection, message) == ("unknown", "sender_lost")
    assert deliver_remote(connection, desk, shop, "email", now + DAY) is None
    assert len(carrier.handed) == handed
    assert [report.name for report in reports(connection, shop)] == ["message_unknown"]


def test_transactional_lost_after_hand_over_is_sent_again_under_the_same_id(
    connection: Connection, desk: Desk, shop: Workspace, carrier: Scripted
) -> None:
    message = plan(connection, shop.id, put_profile(connection, shop.id, "ada"), transactional=True)
    now = now_of(connection, shop)
    with pytest.raises(KilledError):
        deliver_remote(connection, desk, shop, "email", now, is_urgent=True, lease=0.0, checkpoint=kill_at("carried"))
    recover(connection, desk)
    assert deliver_remote(connection, desk, shop, "email", now, is_urgent=True) == Accepted()
    assert state_of(connection, message) == ("sent", None)
    assert len({delivery.message for delivery in carrier.handed}) == 1
    assert len(carrier.handed) == 2


def test_a_paused_sender_that_comes_back_late_changes_nothing(
    connection: Connection, database_url: str, desk: Desk, shop: Workspace, carrier: Scripted
) -> None:
    message = plan(connection, shop.id, put_profile(connection, shop.id, "ada"))
    now, reached, go_on = now_of(connection, shop), threading.Event(), threading.Event()

    def pause(point: str) -> None:
        if point == "carried":
            reached.set()
            go_on.wait(20)

    def send() -> None:
        with connect(database_url) as mine:
            deliver_remote(mine, desk, shop, "email", now, lease=0.0, checkpoint=pause)

    thread = threading.Thread(target=send)
    thread.start()
    assert reached.wait(20)
    recover(connection, desk)
    connection.execute("UPDATE message SET fence = fence + 1")  # as another hand-over would
    connection.commit()
    go_on.set()
    thread.join(20)
    assert state_of(connection, message) == ("unknown", "sender_lost")
    assert [report.name for report in reports(connection, shop)] == ["message_unknown"]


def plan_many(connection: Connection, shop: Workspace, count: int, **changes: Any) -> list[bytes]:
    people = [put_profile(connection, shop.id, f"user{number}") for number in range(count)]
    return [plan(connection, shop.id, person, due_at=at, **changes) for at, person in enumerate(people, 1)]


def test_messages_handed_over_together_end_each_by_its_own_outcome(
    connection: Connection, desk: Desk, shop: Workspace, carrier: Scripted
) -> None:
    messages = plan_many(connection, shop, 4)
    plan(connection, shop.id, put_profile(connection, shop.id, "nowhere", email=None), due_at=9)
    carrier.answers = [Accepted(), Rejected("550 5.1.1 gone", bounce="hard"), Ambiguous("lost"), Accepted()]
    assert deliver_remote(connection, desk, shop, "email", now_of(connection, shop), limit=50) == Accepted()
    states = [state_of(connection, message)[0] for message in messages]
    assert states == ["sent", "rejected", "unknown", "sent"]
    names = sorted(report.name for report in reports(connection, shop))
    assert names == sorted(f"message_{s}" for s in ("sent", "sent", "rejected", "bounced", "unknown", "skipped"))


def test_what_an_unavailable_provider_did_not_see_is_handed_back_uncounted(
    connection: Connection, desk: Desk, shop: Workspace, carrier: Scripted
) -> None:
    messages = plan_many(connection, shop, 4)
    carrier.answers = [Accepted(), Unavailable("421 closing")]
    now = now_of(connection, shop)
    assert deliver_remote(connection, desk, shop, "email", now, limit=50) == Unavailable("421 closing")
    assert [state_of(connection, message)[0] for message in messages] == ["sent", "planned", "planned", "planned"]
    rows = connection.execute("SELECT attempts, due_at > %s FROM message ORDER BY planned_at, id", [now]).fetchall()
    connection.commit()
    assert sorted(rows) == [(0, False), (0, False), (1, False), (1, True)]
    deliver_remote(connection, desk, shop, "email", now, limit=50)
    assert [state_of(connection, message)[0] for message in messages] == ["sent", "planned", "sent", "sent"]
    assert len({delivery.message for delivery in carrier.handed}) == 4
    assert len(carrier.handed) == 4


def test_a_slow_provider_gets_no_more_than_fits_the_lease(
    connection: Connection, desk: Desk, shop: Workspace, carrier: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = plan_many(connection, shop, 3)
    monkeypatch.setattr("kizuna.messages.deliver.CARRY_SECONDS", 0.0)
    deliver_remote(connection, desk, shop, "email", now_of(connection, shop), limit=50)
    assert [state_of(connection, message)[0] for message in messages] == ["sent", "planned", "planned"]


def test_a_crash_loses_sight_of_no_more_than_was_handed_over_together(
    connection: Connection, desk: Desk, shop: Workspace, carrier: Scripted
) -> None:
    messages = plan_many(connection, shop, 5)
    now = now_of(connection, shop)
    with pytest.raises(KilledError):
        deliver_remote(connection, desk, shop, "email", now, limit=3, lease=0.0, checkpoint=kill_at("carried"))
    assert recover(connection, desk) == 3
    states = [state_of(connection, message)[0] for message in messages]
    assert states == ["unknown", "unknown", "unknown", "planned", "planned"]


@pytest.mark.parametrize("answer", [Unavailable("451 later"), Accepted(), Ambiguous("lost")])
def test_a_run_left_while_the_provider_is_asked_is_not_tried_again(
    connection: Connection, database_url: str, desk: Desk, shop: Workspace, carrier: Scripted, answer: Outcome
) -> None:
    ada = put_profile(connection, shop.id, "ada")
    message = plan(connection, shop.id, ada, run="r1", journey="welcome")
    other = plan(connection, shop.id, ada, run="r2", journey="welcome")
    now = now_of(connection, shop)
    carrier.answers = [answer, answer]

    def leave(point: str) -> None:
        if point == "handed":
            with connect(database_url) as worker, worker.cursor(binary=True) as cursor:
                store.cancel(cursor, shop.id, [CancelPlanned(ada, "r1", now)])
                worker.commit()

    deliver_remote(connection, desk, shop, "email", now, limit=50, checkpoint=leave)
    came_to = {"Accepted": ("sent", None), "Ambiguous": ("unknown", "lost")}.get(type(answer).__name__)
    assert state_of(connection, message) == (came_to or ("planned", "exited"))
    assert state_of(connection, other) == (came_to or ("planned", None))
    carrier.answers = []
    deliver_remote(connection, desk, shop, "email", now_of(connection, shop) + DAY, limit=50)
    assert state_of(connection, message) == (came_to or ("skipped", "exited"))
    assert state_of(connection, other) == (came_to or ("sent", None))


def test_a_campaign_cancelled_while_the_provider_is_asked_is_not_tried_again(
    connection: Connection, database_url: str, desk: Desk, shop: Workspace, carrier: Scripted
) -> None:
    put_definition(connection, shop.id, "campaign", "spring", {})
    message = plan(connection, shop.id, put_profile(connection, shop.id, "ada"), campaign="spring")
    now = now_of(connection, shop)
    carrier.answers = [Unavailable("451 later")]

    def cancel(point: str) -> None:
        if point == "handed":
            with connect(database_url) as worker:
                worker.execute(ABORT, {"workspace": shop.id, "campaign": "spring", "at": now})
                worker.execute("UPDATE definition SET status = 'cancelled' WHERE kind = 'campaign'")
                worker.commit()

    deliver_remote(connection, desk, shop, "email", now, checkpoint=cancel)
    assert state_of(connection, message) == ("planned", "aborted")
    deliver_remote(connection, desk, shop, "email", now_of(connection, shop))
    assert state_of(connection, message) == ("skipped", "aborted")


def test_an_unavailable_provider_is_tried_later_until_it_expires(
    connection: Connection, desk: Desk, shop: Workspace, carrier: Scripted
) -> None:
    ada = put_profile(connection, shop.id, "ada")
    now = now_of(connection, shop)
    message = plan(connection, shop.id, ada, due_at=now, expires_at=now + 10 * SECOND)
    carrier.answers = [Unavailable("451 later"), Unavailable("451 later", retry_after=5)]
    deliver_remote(connection, desk, shop, "email", now)
    assert state_of(connection, message) == ("planned", None)
    assert deliver_remote(connection, desk, shop, "email", now) is None
    deliver_remote(connection, desk, shop, "email", now + 2 * SECOND)
    assert deliver_remote(connection, desk, shop, "email", now + 6 * SECOND) is None
    deliver_remote(connection, desk, shop, "email", now + 11 * SECOND)
    assert state_of(connection, message) == ("expired", None)
    assert len(carrier.handed) == 2


def test_a_refused_address_is_rejected_with_a_hard_bounce(
    connection: Connection, desk: Desk, shop: Workspace, carrier: Scripted
) -> None:
    message = plan(connection, shop.id, put_profile(connection, shop.id, "ada"))
    carrier.answers = [Rejected("550 5.1.1 no such user", bounce="hard")]
    deliver_remote(connection, desk, shop, "email", now_of(connection, shop))
    assert state_of(connection, message) == ("rejected", "550 5.1.1 no such user")
    said = {item.name: msgspec.json.decode(item.properties) for item in reports(connection, shop)}
    assert said.keys() == {"message_rejected", "message_bounced"}
    assert (said["message_bounced"]["class"], said["message_bounced"]["address"]) == ("hard", "ada@example.com")


def test_a_lost_connection_leaves_marketing_unknown(
    connection: Connection, desk: Desk, shop: Workspace, carrier: Scripted
) -> None:
    message = plan(connection, shop.id, put_profile(connection, shop.id, "ada"))
    carrier.answers = [Ambiguous("connection lost")]
    deliver_remote(connection, desk, shop, "email", now_of(connection, shop))
    assert state_of(connection, message) == ("unknown", "connection lost")


@pytest.mark.parametrize("living_has_one", [True, False])
def test_what_was_planned_for_records_that_are_one_customer_by_now_is_said_once(
    connection: Connection, desk: Desk, shop: Workspace, living_has_one: bool
) -> None:
    """A campaign that waited for the morning, and a visitor who signed in during the night."""
    first, second, living = (put_profile(connection, shop.id, who, email="ada@example.com") for who in "abc")
    owners = (first, second, living) if living_has_one else (first, second)
    same = {"purpose": "campaign:spring", "campaign": "spring", "occurrence": "lch_1"}
    messages = [plan(connection, shop.id, each, **same) for each in owners]
    other = plan(connection, shop.id, first, purpose="campaign:spring", occurrence="lch_2")
    for given, into in ((first, second), (second, living)):
        connection.execute("UPDATE profile SET merged_into = %s WHERE id = %s", [into, given])
    connection.commit()
    for _ in messages:  # one by one: each claim sees what the others said
        deliver_local(connection, desk, shop, BOTH, now_of(connection, shop), 1)
    deliver(connection, desk, shop)
    goes = messages[-1] if living_has_one else min(messages)
    assert {each: state_of(connection, each) for each in messages} == {
        each: ("sent", None) if each == goes else ("skipped", "duplicate") for each in messages
    }
    assert state_of(connection, other) == ("sent", None)

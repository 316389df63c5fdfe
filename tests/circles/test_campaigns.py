"""Campaigns through the whole product: to each member once, in arms that stay, and no word to those held out."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kizuna.core import clock, ids
from kizuna.messages.report import of_customer
from kizuna.runtime.database import connect
from kizuna.runtime.folder import Running
from kizuna.testing.shop import Shop, identify, link_of, said, track
from kizuna.testing.tenant import append

SEND = {"channel": "email", "template": "hello"}


@pytest.fixture
def full(shop: Shop) -> Shop:
    """A hundred buyers with an address, one without, one who opted out; two templates."""
    shop.template("hello", "Hello")
    shop.template("other", "Other")
    people = [f"u{number}" for number in range(100)]
    shop.send(*(identify(who, email=f"{who}@example.com") for who in [*people, "out", "stranger"]), identify("silent"))
    shop.send(*(track(who, "Bought") for who in [*people, "out", "silent"]))
    shop.segment("buyers", {"did": "Bought"})
    shop.get("/api/v1/segments/buyers")
    shop.ask("PUT", "/api/v1/profiles/user:out/consent", {"channel": "email", "state": "opted_out", "source": "test"})
    return shop


def campaign(shop: Shop, name: str = "sale", **more: Any) -> None:
    shop.ask("PUT", f"/api/v1/campaigns/{name}", {"segment": "buyers", "send": SEND, **more})


def launch(shop: Shop, name: str = "sale", **headers: str) -> Any:
    return shop.ask("POST", f"/api/v1/campaigns/{name}/launch", expect=202, **headers)


def test_each_member_gets_it_once(full: Shop) -> None:
    campaign(full)
    launch(full)
    mails = full.outbox()
    assert Counter(each["to"] for each in mails) == Counter(f"u{number}@example.com" for number in range(100))
    assert {each["campaign"] for each in mails} == {"sale"}
    shown = full.get("/api/v1/campaigns/sale")
    assert (shown["planned"], shown["sent"], shown["skipped"], shown["state"]) == (
        102, 100, {"no_address": 1, "no_consent": 1}, "finished",
    )  # fmt: skip


def test_who_is_a_member_counts_at_the_launch(full: Shop) -> None:
    campaign(full)
    full.send(identify("late", email="late@example.com"), track("late", "Bought"))
    launch(full)
    full.send(identify("later", email="later@example.com"), track("later", "Bought"))
    full.advance("1d")
    reached = {each["to"] for each in full.outbox()}
    assert "late@example.com" in reached
    assert "later@example.com" not in reached


def test_launched_twice_with_one_key_it_is_sent_once(full: Shop) -> None:
    campaign(full)
    first = full.call("POST", "/api/v1/campaigns/sale/launch", Idempotency_Key="spring")
    again = full.call("POST", "/api/v1/campaigns/sale/launch", Idempotency_Key="spring")
    assert (again.status, again.body, again.position) == (first.status, first.body, first.position)
    assert len(full.outbox()) == 100
    launch(full, Idempotency_Key="summer")
    assert len(full.outbox()) == 200


def test_one_key_at_the_same_moment(full: Shop) -> None:
    campaign(full)
    with ThreadPoolExecutor(4) as pool:
        jobs = [
            pool.submit(full.call, "POST", "/api/v1/campaigns/sale/launch", Idempotency_Key="spring") for _ in range(4)
        ]
        answers = [job.result() for job in jobs]
    assert {each.status for each in answers} <= {202, 409}
    assert 202 in {each.status for each in answers}
    full.advance("0s")
    assert len(full.outbox()) == 100


def test_arms_stay_from_launch_to_launch_and_follow_their_weights(full: Shop) -> None:
    variants = [{"name": "a", "weight": 1}, {"name": "b", "weight": 3, "template": "other"}]
    campaign(full, variants=variants)
    launch(full)
    first = {each["to"]: each["subject"] for each in full.outbox()}
    arms = Counter(first.values())
    assert set(arms) == {"Hello", "Other"}
    assert 10 <= arms["Hello"] <= 42
    launch(full)
    assert len(full.outbox()) == 200
    assert {(each["to"], each["subject"]) for each in full.outbox()} == set(first.items())
    shown = full.get("/api/v1/campaigns/sale")
    assert {name: sum(states.values()) for name, states in shown["variants"].items()}.keys() == {"a", "b"}


def test_the_held_out_are_tracked_and_receive_nothing(full: Shop) -> None:
    campaign(full, holdout=30)
    launch(full)
    held = full.get("/api/v1/campaigns/sale")["skipped"]["holdout"]
    assert 12 <= held <= 50
    messages = full.all("/api/v1/messages", campaign="sale", limit=200)
    reasons = Counter(each["reason"] for each in messages if each["state"] == "skipped")
    assert reasons["holdout"] == held
    assert len(full.outbox()) == sum(each["state"] != "skipped" for each in messages)
    assert len(messages) == 102


def test_reports_come_back_to_the_campaign(full: Shop) -> None:
    full.template("linked", "Linked", '<a href="https://shop.example/">Go</a>')
    campaign(full, send={**SEND, "template": "linked"})
    launch(full)
    mail = full.outbox()[0]
    assert full.http.get(link_of(mail["body"], "c")).status_code == 302
    full.http.get(link_of(mail["body"], "o"))
    full.advance("0s")
    shown = full.get("/api/v1/campaigns/sale")
    assert (shown["clicked"], shown["opened"]) == (1, 1)


def test_someone_joined_between_is_one_customer(full: Shop) -> None:
    full.send(said("track", "~a1", event="Bought", properties={}), identify("~a1", email="u1@example.com"))
    full.send(identify("u1~a1"))
    campaign(full)
    launch(full)
    assert Counter(each["to"] for each in full.outbox())["u1@example.com"] == 1


def test_what_cannot_be_launched_is_refused(shop: Shop) -> None:
    shop.template()
    body = {"segment": "nobody", "send": SEND}
    assert shop.ask("PUT", "/api/v1/campaigns/sale", body, expect=422)["code"] == "unknown_segment"
    assert shop.ask("POST", "/api/v1/campaigns/sale/launch", expect=404)["code"] == "not_found"
    assert shop.ask("GET", "/api/v1/campaigns/sale", expect=404)["code"] == "not_found"


def test_what_it_cannot_say_is_said_when_it_is_put_and_refused_when_it_is_launched(shop: Shop) -> None:
    shop.segment("buyers", {"did": "Bought"})
    body = {"segment": "buyers", "send": SEND, "variants": [{"name": "a"}, {"name": "b", "template": "bye"}]}
    doubtful = shop.ask("PUT", "/api/v1/campaigns/sale", body)
    assert [each.partition(":")[0] for each in doubtful["warnings"]] == ["no template 'hello'", "no template 'bye'"]
    shop.template("hello", "Hello")
    refused = shop.ask("POST", "/api/v1/campaigns/sale/launch", expect=422)
    assert (refused["code"], [each["message"] for each in refused["errors"]]) == (
        "unknown_template", ["publish 'bye' first"],
    )  # fmt: skip
    shop.template("bye", "Bye")
    launch(shop)


def test_a_rule_may_stand_in_the_campaign(full: Shop) -> None:
    rule = {"all": [{"did": "Bought"}, {"trait": "email", "starts_with": "u1"}]}
    full.ask("PUT", "/api/v1/campaigns/sale", {"where": rule, "send": SEND})
    launch(full)
    assert {each["to"] for each in full.outbox()} == {f"u{n}@example.com" for n in (1, *range(10, 20))}
    wrong = full.ask("PUT", "/api/v1/campaigns/sale", {"where": {"in_segment": "none"}, "send": SEND}, expect=422)
    assert wrong["errors"][0]["pointer"] == "/where"


def test_a_launch_on_the_calendar_reaches_who_is_a_member_then(full: Shop) -> None:
    """The clock jumps over it: at its own instant, no earlier and no later, its members are gathered."""
    full.ask("PUT", "/api/v1/segments/fresh", {"where": {"did": "Ping", "within": "1d"}})
    campaign(full, segment="fresh", schedule="2026-03-05T00:00:00Z")
    answer = launch(full)
    assert answer["due_at"] == "2026-03-05T00:00:00Z"
    assert full.get("/api/v1/campaigns/sale")["state"] == "scheduled"
    full.to("2026-03-03T23:00:00Z")
    full.send(track("u1", "Ping"))  # no longer a member at midnight a day later
    full.to("2026-03-04T12:00:00Z")
    full.send(track("u2", "Ping"))
    full.to("2026-03-09T00:00:00Z")
    assert [(each["to"], each["at"]) for each in full.outbox()] == [("u2@example.com", "2026-03-05T00:00:00Z")]
    assert full.get("/api/v1/campaigns/sale")["state"] == "finished"


ZONES = {"anna": "Asia/Tokyo", "bert": "America/New_York", "cora": "Europe/Paris", "dora": "Pacific/Kiritimati"}


def travellers(shop: Shop) -> None:
    shop.template("hello", "Hello")
    for who, zone in ZONES.items():
        shop.send({**identify(who, email=f"{who}@example.com"), "context": {"timezone": zone}})
    shop.segment("all", {"trait": "email", "exists": True})


def arrivals(shop: Shop) -> dict[str, str]:
    mails = shop.outbox()
    assert len({each["to"] for each in mails}) == len(mails), "once each"
    return {each["to"].partition("@")[0]: each["at"] for each in mails}


@pytest.mark.parametrize(
    ("start", "local", "expected"),
    [
        (
            "2026-12-01T00:00:00Z", "2026-12-24T09:00",
            ["2026-12-24T00:00:00Z", "2026-12-24T14:00:00Z", "2026-12-24T08:00:00Z", "2026-12-23T19:00:00Z"],
        ),
        (  # a gap in New York
            "2026-03-01T00:00:00Z", "2026-03-08T02:30",
            ["2026-03-07T17:30:00Z", "2026-03-08T07:30:00Z", "2026-03-08T01:30:00Z", "2026-03-07T12:30:00Z"],
        ),
        (  # an hour that comes twice in New York
            "2026-10-20T00:00:00Z", "2026-11-01T01:30",
            ["2026-10-31T16:30:00Z", "2026-11-01T05:30:00Z", "2026-11-01T00:30:00Z", "2026-10-31T11:30:00Z"],
        ),
    ],
)  # fmt: skip
def test_each_in_their_own_time_and_once(open_shop: Any, start: str, local: str, expected: list[str]) -> None:
    shop = open_shop(start=start)
    travellers(shop)
    campaign(shop, segment="all", schedule={"local": local})
    launch(shop)
    shop.advance("40d")
    assert arrivals(shop) == dict(zip(ZONES, expected, strict=True))
    shown = shop.get("/api/v1/campaigns/sale")
    assert (shown["planned"], shown["sent"], shown["state"]) == (4, 4, "finished")


def test_a_day_that_was_left_out_is_the_one_after(open_shop: Any) -> None:
    shop = open_shop(start="2011-12-20T00:00:00Z")
    shop.template("hello", "Hello")
    shop.send({**identify("sina", email="sina@example.com"), "context": {"timezone": "Pacific/Apia"}})
    shop.segment("all", {"trait": "email", "exists": True})
    campaign(shop, segment="all", schedule={"local": "2011-12-30T09:00"})
    launch(shop)
    shop.advance("20d")
    assert arrivals(shop) == {"sina": "2011-12-30T19:00:00Z"}


def test_after_the_hour_it_is_said_for_an_hour_and_then_no_more(open_shop: Any) -> None:
    shop = open_shop(start="2026-12-24T09:00:00Z")  # 18:00 in Tokyo, 10:00 in Paris, 04:00 in New York
    travellers(shop)
    campaign(shop, segment="all", schedule={"local": "2026-12-24T09:00"})
    launch(shop)
    shop.advance("0s")
    assert shop.get("/api/v1/campaigns/sale")["state"] == "running", "New York is still to come"
    shop.advance("1d")
    assert arrivals(shop) == {"cora": "2026-12-24T09:00:00Z", "bert": "2026-12-24T14:00:00Z"}
    assert shop.get("/api/v1/campaigns/sale")["skipped"] == {"expired": 2}


def test_a_traveller_is_written_to_where_they_are(open_shop: Any) -> None:
    shop = open_shop(start="2026-12-23T12:00:00Z")
    travellers(shop)
    campaign(shop, segment="all", schedule={"local": "2026-12-24T09:00"})
    launch(shop)
    shop.to("2026-12-23T22:00:00Z")
    shop.send({**identify("anna"), "context": {"timezone": "Europe/Paris"}})  # before nine in Tokyo
    shop.advance("2d")
    assert arrivals(shop)["anna"] == "2026-12-24T08:00:00Z"


def test_paused_it_rests_and_resumed_it_goes_on(full: Shop) -> None:
    full.ask("PUT", "/api/v1/policy", {"quiet_hours": {"from": "09:00", "to": "12:00"}})  # it is 10:00
    campaign(full)
    launch(full)
    full.ask("POST", "/api/v1/campaigns/sale/pause")
    full.advance("4h")
    shown = full.get("/api/v1/campaigns/sale")
    assert (shown["state"], shown["sent"], shown["waiting"], shown["paused"]["by"]) == ("paused", 0, 100, "member")
    assert full.ask("POST", "/api/v1/campaigns/sale/pause", expect=409)["code"] == "not_running"
    assert full.ask("POST", "/api/v1/campaigns/sale/launch", expect=409)["code"] == "paused"
    full.ask("POST", "/api/v1/campaigns/sale/resume")
    full.advance("0s")
    shown = full.get("/api/v1/campaigns/sale")
    assert (shown["state"], shown["sent"], shown["waiting"]) == ("finished", 100, 0)
    assert Counter(each["at"] for each in full.outbox()) == {"2026-03-02T14:00:00Z": 100}
    assert full.ask("POST", "/api/v1/campaigns/sale/resume", expect=409)["code"] == "not_paused"


def test_paused_for_too_long_it_expires(full: Shop) -> None:
    full.ask("PUT", "/api/v1/policy", {"quiet_hours": {"from": "09:00", "to": "12:00"}})
    campaign(full, send={**SEND, "expires": "1d"})
    launch(full)
    full.ask("POST", "/api/v1/campaigns/sale/pause")
    full.advance("2d")
    full.ask("POST", "/api/v1/campaigns/sale/resume")
    full.advance("0s")
    shown = full.get("/api/v1/campaigns/sale")
    assert (shown["state"], shown["sent"], shown["expired"]) == ("finished", 0, 100)


def test_a_paused_launch_on_the_calendar_waits(full: Shop) -> None:
    campaign(full, schedule="2026-03-05T00:00:00Z")
    launch(full)
    full.ask("POST", "/api/v1/campaigns/sale/pause")
    full.advance("5d")
    assert not full.outbox()
    full.ask("POST", "/api/v1/campaigns/sale/resume")
    full.advance("0s")
    assert {each["at"] for each in full.outbox()} == {"2026-03-07T10:00:00Z"}


def test_cancelled_it_says_no_more_and_every_row_comes_to_its_end(open_shop: Any) -> None:
    shop = open_shop(start="2026-12-23T12:00:00Z")
    travellers(shop)
    campaign(shop, segment="all", schedule={"local": "2026-12-24T09:00"})
    launch(shop)
    shop.to("2026-12-24T00:00:00Z")  # Kiritimati and Tokyo have it
    shop.ask("POST", "/api/v1/campaigns/sale/cancel")
    shop.advance("3d")
    assert arrivals(shop).keys() == {"anna", "dora"}
    shown = shop.get("/api/v1/campaigns/sale")
    assert (shown["state"], shown["skipped"], shown["waiting"]) == ("cancelled", {"aborted": 2}, 0)
    assert len(shop.facts("bert", "message_skipped")) == 1
    assert shop.ask("POST", "/api/v1/campaigns/sale/cancel", expect=409)["code"] == "cancelled"


def test_cancelled_while_paused_what_was_planned_is_aborted(full: Shop) -> None:
    full.ask("PUT", "/api/v1/policy", {"quiet_hours": {"from": "09:00", "to": "12:00"}})
    campaign(full)
    launch(full)
    full.ask("POST", "/api/v1/campaigns/sale/pause")
    full.ask("POST", "/api/v1/campaigns/sale/cancel")
    full.advance("4h")
    shown = full.get("/api/v1/campaigns/sale")
    assert shown["skipped"] == {"aborted": 100, "no_address": 1, "no_consent": 1}
    assert (shown["state"], shown["sent"], len(full.outbox())) == ("cancelled", 0, 0)
    launch(full)  # a new beginning
    full.advance("1d")
    assert len(full.outbox()) == 100
    assert full.get("/api/v1/campaigns/sale")["state"] == "finished"
    assert full.ask("POST", "/api/v1/campaigns/sale/cancel", expect=409)["code"] == "nothing_to_cancel"


def test_goals_are_counted_once_each_in_their_time(full: Shop) -> None:
    goal = {
        "event": "Order Completed",
        "where": [{"property": "total", "gt": 0}],
        "within": "2d",
        "value": "properties.total",
    }
    campaign(full, goal=goal, holdout=30, variants=[{"name": "a"}, {"name": "b"}])
    launch(full)
    messages = full.all("/api/v1/messages", campaign="sale", limit=200)
    people = {each["id"]: each["traits"].get("email", "").partition("@")[0] for each in profiles(full)}
    held = sorted(people[m["profile"]] for m in messages if m["reason"] == "holdout")
    said = sorted(people[m["profile"]] for m in messages if m["state"] == "sent")
    full.advance("1d")
    full.send(track(said[0], "Order Completed", total="12.50"), track(said[0], "Order Completed", total=99))
    full.send(track(said[1], "Order Completed", total=0), track(held[0], "Order Completed", total=5))
    full.advance("1d")
    full.send(track(said[2], "Order Completed", total=7))  # at the very end
    full.advance("1s")
    full.send(track(said[3], "Order Completed", total=7))  # too late
    full.send(track(said[4], "Order Completed", "2026-03-04T09:59:00Z", total="0.25"))  # in time, heard of late
    shown = full.get("/api/v1/campaigns/sale")
    assert shown["converted"] == 3
    assert shown["revenue"]["amount"] == "19.75"
    lift = shown["lift"]
    assert (lift["said"]["n"], lift["said"]["converted"]) == (len(said), 3)
    assert (lift["holdout"]["n"], lift["holdout"]["converted"]) == (len(held), 1)
    assert lift["lift"] == pytest.approx(3 / len(said) - 1 / len(held))
    assert lift["interval"][0] < lift["lift"] < lift["interval"][1]
    assert sum(each["n"] for each in lift["variants"]) == len(said)
    assert len(full.facts(said[0], "campaign_goal")) == 1


def profiles(shop: Shop) -> list[Any]:
    members = shop.all("/api/v1/segments/buyers/members", limit=200)
    return [shop.ask("GET", f"/api/v1/profiles/{each['id']}") for each in members]


def sending(shop: Shop) -> dict[str, Any]:
    return {each["channel"]: each for each in shop.get("/api/v1/sending")["items"]}


def test_too_many_complaints_pause_it_and_more_stop_all_mail(full: Shop, running: Running) -> None:
    limits = {"complaints": {"pause": 0.02, "stop": 0.05, "over": 50}}
    full.ask("PUT", "/api/v1/policy", {"limits": limits})
    campaign(full)
    launch(full)
    mails = full.outbox()
    complain(running, full, mails[0])
    full.advance("0s")
    assert full.get("/api/v1/campaigns/sale")["state"] == "finished"
    complain(running, full, mails[1])
    shown = eventually(lambda: full.get("/api/v1/campaigns/sale"), lambda found: found["state"] == "paused")
    assert shown["paused"] == {
        "by": "guard", "kind": "campaign", "name": "sale", "channel": "email", "reason": "complaints", "rate": 0.02,
        "limit": 0.02, "complaints": 2, "delivered": 100, "since": "2026-03-01T10:00:00Z", "at": "2026-03-02T10:00:00Z",
    }  # fmt: skip
    assert full.get("/api/v1/guards")["items"][0]["name"] == "sale"
    complain(running, full, *mails[2:5])
    stopped = eventually(lambda: sending(full)["email"], lambda found: found["state"] == "paused")
    assert (stopped["paused"]["reason"], stopped["paused"]["complaints"]) == ("complaints", 5)
    campaign(full, "other")
    launch(full, "other")
    full.advance("1h")
    assert len(full.outbox()) == 100
    full.ask("POST", "/api/v1/sending/email/resume")
    full.advance("0s")
    assert len(full.outbox()) == 195  # those who complained are not written to


def test_bounces_that_come_back_as_mails_pause_it(full: Shop) -> None:
    full.ask("PUT", "/api/v1/policy", {"limits": {"hard_bounces": {"pause": 0.02, "over": 50}}})
    campaign(full)
    launch(full)
    mails = full.outbox()[:2]
    for mail in mails:
        came_back = (
            "From: MAILER-DAEMON@mx.example\nContent-Type: multipart/report; boundary=b\n\n"
            "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
            f"Final-Recipient: rfc822; {mail['to']}\nAction: failed\nStatus: 5.1.1\n\n"
            f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{mail['message_id']}@shop.example>\n--b--\n"
        )
        headers = {"Authorization": f"Bearer {full.made['api_key']}", "Content-Type": "message/rfc822"}
        answer = full.http.post("/reports/email", content=came_back, headers=headers)
        assert answer.json()["results"][0]["class"] == "hard"
        full.position = answer.headers["kizuna-position"]
    shown = eventually(lambda: full.get("/api/v1/campaigns/sale"), lambda found: found["state"] == "paused")
    assert (shown["paused"]["reason"], shown["paused"]["hard_bounces"]) == ("hard_bounces", 2)
    (bounced,) = [
        each for each in full.timeline(mails[0]["to"].partition("@")[0]) if each["event"] == "message_bounced"
    ]
    assert bounced["properties"]["campaign"] == "sale"
    assert bounced["properties"]["message"] == mails[0]["message_id"]


def test_people_and_machines_are_counted_apart(full: Shop) -> None:
    campaign(full)
    launch(full)
    unsure = {"User-Agent": "GoogleImageProxy"}
    person, machine = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/132.0"}, {"User-Agent": "Mozilla/5.0"}
    for mail, agents in zip(full.outbox(), ([person], [machine], [machine, unsure]), strict=False):
        for agent in agents:
            answer = full.http.get(link_of(mail["body"], "o"), headers=agent)
            full.position = answer.headers["kizuna-position"]
    shown = full.get("/api/v1/campaigns/sale")
    counted = {name: shown[name] for name in ("opened", "clicked", "human_opened", "machine_opened", "unsure_opened")}
    assert counted == {"opened": 2, "clicked": 0, "human_opened": 1, "machine_opened": 2, "unsure_opened": 1}
    full.http.get(link_of(full.outbox()[0]["body"], "o"), headers=unsure)
    full.advance("0s")
    shown = full.get("/api/v1/campaigns/sale")
    assert (shown["opened"], shown["human_opened"], shown["unsure_opened"]) == (2, 1, 2), "one by both is one"


def test_who_comes_from_a_network_without_people_is_a_machine(full: Shop) -> None:
    full.template("linked", "Linked", '<a href="https://shop.example/">Go</a>')
    campaign(full, send={**SEND, "template": "linked"})
    full.ask("PUT", "/api/v1/policy", {"scanners": ["203.0.113.0/24", "2001:db8::/32"]})
    launch(full)
    link = link_of(full.outbox()[0]["body"], "c")
    person = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/132.0"}
    for address in ("203.0.113.9", "40.92.1.2"):  # its own, and a known one
        full.http.get(link, headers={**person, "X-Forwarded-For": address})  # as the proxy beside us says it
    full.advance("0s")
    shown = full.get("/api/v1/campaigns/sale")
    assert (shown["clicked"], shown["machine_clicked"]) == (0, 1)
    full.http.get(link, headers={**person, "X-Forwarded-For": "198.51.100.7"})
    full.advance("0s")
    assert full.get("/api/v1/campaigns/sale")["human_clicked"] == 1


def complain(running: Running, shop: Shop, *mails: Any) -> None:
    """As a provider's reports would come in: appended to the log by hand."""
    items = [
        of_customer(
            ids.read("prf", mail["profile"]), "complained", clock.read_time(mail["at"]) or 0,
            {"message": mail["message_id"], "channel": "email", "campaign": "sale"},
        )
        for mail in mails
    ]  # fmt: skip
    with connect(running.database_url) as connection:
        shop.position = str(append(connection, int(shop.made["id"].removeprefix("wsp_")), items))
        connection.execute("NOTIFY kizuna_log")
        connection.commit()


def eventually(look: Any, wanted: Any) -> Any:
    """The guard decides on its own, so nobody can wait for its position."""
    last = time.monotonic() + 30
    while not wanted(found := look()):
        assert time.monotonic() < last, f"it never came true: {found}"
        time.sleep(0.02)
    return found


# copies for seeds ----------------------------------------------------------------------------------------------------


def seeded(shop: Shop, **more: Any) -> None:
    """Three buyers, one of them Japanese; a list of two addresses; a campaign in two arms."""
    wordings = {"ja": {"subject": "やあ{{ profile.traits.name }}", "body": "<p>{{ message.variant }}</p>"}}
    body = {"channel": "email", "subject": "Hi {{ profile.traits.name }}", "body": "<a href='https://x.example'>x</a>"}
    shop.ask("PUT", "/api/v1/templates/hello", {**body, "locales": wordings})
    shop.template("other", "Other")
    people = [identify(who, email=f"{who}@example.com", name="Ada") for who in ("u1", "u2")]
    shop.send(*people, identify("ken", email="ken@example.com", name="Ken", locale="ja-JP"))
    shop.send(*(track(who, "Bought") for who in ("u1", "u2", "ken")))
    shop.segment("buyers", {"did": "Bought"})
    shop.get("/api/v1/segments/buyers")
    shop.ask("PUT", "/api/v1/seed-lists/ours", {"addresses": ["one@seed.example", "two@seed.example"]})
    variants = [{"name": "a"}, {"name": "b", "template": "other"}]
    campaign(shop, send={**SEND, "seeds": {"list": "ours", "mark": "[Seed] "}}, variants=variants, **more)


def copies(shop: Shop) -> list[Any]:
    return [each for each in shop.outbox() if each["to"].endswith("@seed.example")]


def test_seeds_get_each_arm_in_each_wording_as_a_member_sees_it(shop: Shop) -> None:
    seeded(shop, holdout=100)
    shop.ask("PUT", "/api/v1/policy", {"caps": [{"channel": "email", "max": 1, "per": "1d", "then": "skip"}]})
    launched = launch(shop)
    subjects = ["[Seed] Hi Ada", "[Seed] やあKen", "[Seed] Other"]
    assert Counter((each["to"], each["subject"]) for each in copies(shop)) == Counter(
        (f"{who}@seed.example", subject) for who in ("one", "two") for subject in subjects
    )
    assert {each["headers"]["X-Kizuna-Seed"] for each in copies(shop)} == {launched["launch"]}
    assert {each["headers"]["X-Kizuna-Test"] for each in copies(shop)} == {"yes"}
    assert "/c/" not in "".join(each["body"] for each in copies(shop))
    assert "<p>a</p>" in next(each["body"] for each in copies(shop) if "Ken" in each["subject"])


def test_copies_count_for_nothing_and_say_what_they_are(shop: Shop) -> None:
    seeded(shop)
    launched = launch(shop)
    assert len(copies(shop)) == 6
    shown = shop.get("/api/v1/campaigns/sale")
    assert (shown["planned"], shown["sent"], shown["state"]) == (3, 3, "finished")
    assert len(shop.all("/api/v1/messages", campaign="sale")) == 3
    said = shop.get(f"/api/v1/messages/{copies(shop)[0]['message_id']}")
    assert (said["test"], said["campaign"]) == (True, None)
    assert said["copy_of"] == {"campaign": "sale", "launch": launched["launch"], "variant": said["copy_of"]["variant"]}
    assert shop.get(f"/api/v1/messages/{shop.all('/api/v1/messages', campaign='sale')[0]['id']}")["copy_of"] is None
    names = [each["event"] for each in shop.timeline("u1") if each["event"].startswith("message_")]
    assert sorted(names) == ["message_planned", "message_sent"]
    assert len(shop.all("/api/v1/profiles")) == 3


def test_each_launch_is_copied_once_whatever_is_published_meanwhile(shop: Shop) -> None:
    seeded(shop)
    launch(shop, Idempotency_Key="spring")
    seeded(shop)
    launch(shop, Idempotency_Key="spring")
    assert len(copies(shop)) == 6
    launch(shop)
    assert len(copies(shop)) == 12


def test_a_launch_that_reaches_nobody_is_not_copied(shop: Shop) -> None:
    seeded(shop)
    shop.segment("nobody", {"did": "Never"})
    campaign(shop, segment="nobody", send={**SEND, "seeds": "ours"})
    launch(shop)
    shop.advance("1h")
    assert copies(shop) == []


def test_a_list_that_is_not_there_is_refused(shop: Shop) -> None:
    seeded(shop)
    wanted = {"segment": "buyers", "send": {**SEND, "seeds": "theirs"}}
    refused = shop.ask("PUT", "/api/v1/campaigns/sale", wanted, expect=422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("unknown_seed_list", "/send/seeds")

"""Campaigns through the whole product: to each member once, in arms that stay, and no word to those held out."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kizuna.testing.shop import Shop, identify, link_of, said, track

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

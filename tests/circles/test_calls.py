"""Calls the whole way: a journey puts them on the list, a person takes them, the outcome leads the journey on."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kizuna.testing.shop import Shop

SETTINGS = {"tries": 2, "spacing": "4h"}


@pytest.fixture
def desk(shop: Shop) -> Shop:
    """A shop that calls after an order, and thanks whoever was reached."""
    shop.ask("PUT", "/api/v1/providers/phone", {"kind": "call_list", "settings": SETTINGS})
    shop.ask("PUT", "/api/v1/templates/ask", {"channel": "call", "body": "Ask {{ profile.traits.name }} how it was."})
    reached = [{"event": "Call Finished", "where": [{"property": "outcome", "is": "reached"}]}]
    steps = [
        {"id": "call", "send": {"channel": "call", "template": "ask", "expires": "10d", "data": {"priority": 1}}},
        {"id": "wait", "wait_for": reached, "timeout": "9d", "else": "end"},
        {"id": "thank", "update": {"traits": {"talked": True}}},
    ]
    shop.journey("ask", {"entry": {"on": {"event": "Order Completed"}}, "steps": steps})
    return shop


def order(shop: Shop, *who: str) -> None:
    for number, name in enumerate(who):
        shop.identify(name, name=name.title(), phone=f"+4989123456{number}")
        shop.track(name, "Order Completed")


def listed(shop: Shop, count: int, state: str = "open") -> dict[str, Any]:
    """Entries by name, once there are so many."""
    found: list[Any] = []
    for _ in range(600):
        found = shop.get("/api/v1/calls", state=state)["items"]
        if len(found) == count:
            return {each["name"].lower(): each for each in found}
    raise AssertionError(found)


def take(shop: Shop, entry: Any, expect: int = 200) -> Any:
    return shop.ask("POST", f"/api/v1/calls/{entry['id']}/take", expect=expect)


def say(shop: Shop, entry: Any, outcome: str, expect: int = 200, **more: Any) -> Any:
    return shop.ask("POST", f"/api/v1/calls/{entry['id']}/outcome", {"outcome": outcome, **more}, expect=expect)


def state(shop: Shop, entry: Any) -> str:
    return shop.get(f"/api/v1/messages/{entry['id']}")["state"]


def test_a_call_is_made_and_the_journey_goes_on(desk: Shop) -> None:
    order(desk, "ada", "bob")
    entries = listed(desk, 2)
    assert "phone" not in entries["ada"]  # shown to whoever takes it, after consent was looked at
    assert desk.get("/api/v1/calls", list="other")["items"] == []
    taken = take(desk, entries["ada"])
    assert (taken["phone"], taken["script"], taken["priority"]) == ("+49891234560", "Ask Ada how it was.", 1)
    assert state(desk, taken) == "sent"
    say(desk, entries["bob"], "reached", expect=409)  # not taken
    assert say(desk, taken, "reached", note="likes it", properties={"score": 9})["state"] == "done"
    assert state(desk, taken) == "delivered"
    assert desk.profile("ada")["traits"]["talked"] is True
    (told,) = [each for each in desk.timeline("ada") if each["event"] == "Call Finished"]
    assert told["properties"]["outcome"] == "reached"
    assert (told["properties"]["score"], told["properties"]["journey"]) == (9, "ask")
    assert desk.counts("ask")["completed"] == 1
    take(desk, taken, expect=409)


def test_who_is_not_reached_is_called_again_and_not_for_ever(desk: Shop) -> None:
    order(desk, "ada")
    entry = listed(desk, 1)["ada"]
    take(desk, entry)
    assert say(desk, entry, "no_answer")["state"] == "open"
    listed(desk, 0)
    take(desk, entry, expect=409)  # too early
    desk.advance("4h")
    take(desk, listed(desk, 1)["ada"])
    assert say(desk, entry, "busy")["state"] == "done"
    (told,) = [each for each in desk.timeline("ada") if each["event"] == "Call Finished"]
    assert (told["properties"]["outcome"], told["properties"]["tries"]) == ("busy", 2)


def test_a_call_is_put_off_to_the_time_they_named(desk: Shop) -> None:
    order(desk, "ada")
    entry = listed(desk, 1)["ada"]
    take(desk, entry)
    say(desk, entry, "callback_at", expect=400)
    say(desk, entry, "callback_at", callback_at="2026-03-03T10:00:00Z")
    desk.to("2026-03-03T09:59:59Z")
    listed(desk, 0)
    desk.to("2026-03-03T10:00:00Z")
    take(desk, listed(desk, 1)["ada"])
    assert say(desk, entry, "not_called")["state"] == "open"


def test_an_opt_out_after_listing_takes_it_off_the_list(desk: Shop) -> None:
    order(desk, "ada")
    entry = listed(desk, 1)["ada"]
    desk.ask("PUT", "/api/v1/profiles/user:ada/consent", {"channel": "call", "state": "opted_out"})
    assert take(desk, entry, expect=409)["code"] == "may_not_call"
    assert state(desk, entry) == "skipped"
    listed(desk, 0)


def test_do_not_call_and_wrong_number_are_heeded(desk: Shop) -> None:
    order(desk, "ada", "bob")
    entries = listed(desk, 2)
    for name, outcome in (("ada", "do_not_call"), ("bob", "wrong_number")):
        take(desk, entries[name])
        say(desk, entries[name], outcome, note="said so")
    assert desk.profile("ada")["consent"]["call"]["state"] == "opted_out"
    (changed,) = desk.facts("ada", "consent_changed")
    assert changed["properties"]["source"] == "call"
    assert state(desk, entries["bob"]) == "bounced"
    reasons = set()
    for who in ("user:ada", "user:bob"):
        asked = {"profile": who, "channel": "call", "template": "ask"}
        name = desk.ask("POST", "/api/v1/messages", asked, expect=202)["id"]
        reasons.add(desk.get(f"/api/v1/messages/{name}")["reason"])
    assert reasons == {"no_consent", "suppressed"}


def test_one_of_many_takes_it_and_marketing_is_offered_once(desk: Shop) -> None:
    order(desk, "ada")
    entry = listed(desk, 1)["ada"]
    with ThreadPoolExecutor(6) as pool:
        codes = [
            each.status for each in pool.map(lambda _: desk.call("POST", f"/api/v1/calls/{entry['id']}/take"), range(6))
        ]
    assert sorted(codes) == [200, 409, 409, 409, 409, 409]
    desk.advance("16m")
    listed(desk, 0)  # they may have talked
    assert listed(desk, 1, "taken")["ada"]["taken_by"] == "api"
    assert say(desk, entry, "reached")["state"] == "done"  # late, and true


def test_nobody_took_it_in_time(desk: Shop) -> None:
    order(desk, "ada")
    entry = listed(desk, 1)["ada"]
    desk.advance("11d")
    listed(desk, 0)
    assert state(desk, entry) == "expired"


def test_a_call_centre_takes_a_table_and_brings_one_back(desk: Shop, open_shop: Callable[..., Shop]) -> None:
    order(desk, "ada", "bob")
    desk.identify("ada", name="=1+1")
    desk.profile("ada")
    listed(desk, 2)
    answer = desk.call("POST", "/api/v1/calls/export", {"list": "ask"})
    rows = list(csv.DictReader(io.StringIO(answer.body.removeprefix("\ufeff"))))
    assert sorted(row["name"] for row in rows) == ["'=1+1", "Bob"]
    assert {row["held_until"] for row in rows} == {"2026-03-03T10:00:00Z"}
    table = "id,outcome,note\n" + "".join(f"{row['id']},refused,no\x00 time\n" for row in rows) + "msg_1,reached,\n"
    send = {"content": table.encode(), "headers": {"Content-Type": "text/csv"}}
    other = open_shop()
    for shop, taken in ((other, 0), (desk, 2), (desk, 0)):
        send["headers"] = {"Content-Type": "text/csv", "Authorization": f"Bearer {shop.made['api_key']}"}
        found = shop.http.post("/api/v1/calls/import", **send)
        assert found.json()["taken"] == taken, found.text
        assert len(found.json()["problems"]) == 3 - taken
    assert len(listed(desk, 2, "done")) == 2


def test_the_next_call_goes_to_one_and_the_lists_say_how_they_stand(desk: Shop) -> None:
    order(desk, "ada", "bob", "cyd")
    listed(desk, 3)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: desk.ask("POST", "/api/v1/calls/next", {"list": "ask"})["call"], range(4)))
    taken = {each["name"]: each for each in found if each}
    assert (set(taken), found.count(None)) == ({"Ada", "Bob", "Cyd"}, 1)
    assert all(each["phone"] and each["script"] for each in taken.values())
    say(desk, taken["Ada"], "no_answer")
    say(desk, taken["Bob"], "reached")
    (ask,) = desk.get("/api/v1/calls/lists")["items"]
    assert ask == {
        "list": "ask", "open": 0, "later": 1, "taken": 1, "done": 1, "next_at": "2026-03-02T14:00:00Z",
    }  # fmt: skip
    assert desk.ask("POST", "/api/v1/calls/next", {"list": "other"}) == {"call": None}


def test_who_opted_out_is_passed_by_when_the_next_is_taken(desk: Shop) -> None:
    order(desk, "ada", "bob")
    listed(desk, 2)
    desk.ask("PUT", "/api/v1/profiles/user:ada/consent", {"channel": "call", "state": "opted_out"})
    assert desk.ask("POST", "/api/v1/calls/next", {})["call"]["name"] == "Bob"
    assert desk.ask("POST", "/api/v1/calls/next", {}) == {"call": None}


def test_a_list_is_read_page_by_page_while_it_shrinks(desk: Shop) -> None:
    names = ["ada", "bob", "cyd", "dan", "eve"]
    order(desk, *names)
    listed(desk, 5)
    page = desk.get("/api/v1/calls", limit=2)
    take(desk, page["items"][0])  # what comes after stays where it is
    rest = desk.get("/api/v1/calls", limit=9, cursor=page["next_cursor"])["items"]
    assert sorted(each["name"].lower() for each in page["items"] + rest) == names
    assert desk.get("/api/v1/calls", state="taken", mine="true")["items"][0].get("phone") is None  # a key is anybody's
    desk.ask("GET", "/api/v1/calls?cursor=7", expect=400)

"""Messages in the shop's own pages, the whole way: planned, laid ready, taken by a browser, acted upon, told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kizuna.testing.pages import say, signed_in, titles
from kizuna.testing.shop import Shop, identify, ref, track


def choose(shop: Shop, who: str, state: str, channel: str, **more: Any) -> None:
    said = {"channel": channel, "state": state, "source": "test", **more}
    shop.ask("PUT", f"/api/v1/profiles/{ref(who)}/consent", said)


def launch(shop: Shop, **more: Any) -> None:
    send = {"channel": "in_app", "template": "offer"}
    shop.ask("PUT", "/api/v1/campaigns/spring", {"segment": "buyers", "send": send, **more})
    shop.ask("POST", "/api/v1/campaigns/spring/launch", expect=202)


def test_a_campaign_is_shown_and_what_is_done_with_it_comes_back(site: Shop) -> None:
    site.send(identify("ada", name="Ada"), track("ada", "Bought"))
    launch(site)
    browser = signed_in(site, "ada")
    (item,) = browser.pull()
    assert (item["kind"], item["title"], item["html"]) == ("in_app", "Hello Ada", "<p>For Ada</p>")
    assert item["image"] == "https://shop.example/spring.png"
    assert item["buttons"] == [
        {"id": "b1", "label": "See", "url": "/sale?for=Ada", "event": None},
        {"id": "b2", "label": "Later", "url": None, "event": "Later"},
    ]
    assert item["display"] == {
        "trigger": {"event": "Viewed"}, "delay_s": 0, "layout": "slide_up", "position": "bottom", "close": True,
        "priority": 0, "once": True,
    }  # fmt: skip
    assert browser.pull() == []
    for _ in range(2):
        assert browser.act(item, "impression") == 1
        assert browser.act(item, "click", button="b1") == 1
    told = [each["event"] for each in site.timeline("ada")[::-1] if each["event"].startswith("message_")]
    assert told == ["message_planned", "message_sent", "message_delivered", "message_opened", "message_clicked"]
    (clicked,) = site.facts("ada", "message_clicked")
    assert (
        clicked["properties"] | {"button": "b1", "url": "/sale?for=Ada", "campaign": "spring"} == clicked["properties"]
    )
    shown = site.get("/api/v1/campaigns/spring")
    assert [shown[state] for state in ("sent", "delivered", "opened", "clicked")] == [1, 1, 1, 1]
    assert browser.pull() == []
    assert browser.answer["gone"] == [item["id"]]
    assert site.outbox() == []


# what is not welcome any more -----------------------------------------------------------------------------------------


def test_an_opt_out_clears_the_shelf_for_good(site: Shop) -> None:
    site.send(identify("ada"))
    for template, topic in (("card", "news"), ("inbox", None)):
        say(site, "ada", template, topic=topic)
    browser = signed_in(site, "ada")
    assert titles(browser.pull()) == ["card", "inbox"]
    choose(site, "ada", "opted_out", "card", topic="news")
    assert browser.pull() == []
    assert len(browser.answer["gone"]) == 1
    choose(site, "ada", "opted_in", "card", topic="news", proof={"form": "page"})
    assert titles(signed_in(site, "ada").pull()) == ["inbox"]
    choose(site, "ada", "opted_out", "inbox")
    assert signed_in(site, "ada").pull() == []
    say(site, "ada", "inbox")
    assert site.facts("ada", "message_skipped")[0]["properties"]["reason"] == "no_consent"


def test_a_stricter_law_holds_for_what_lies_there_already(site: Shop) -> None:
    site.send(identify("ada", country="DE"), identify("bob", country="JP"), identify("eve", country="DE"))
    for who in ("ada", "bob", "eve"):
        site.profile(who)
        say(site, who, "card")
    choose(site, "eve", "opted_in", "card", proof={"form": "page"})
    site.ask("PUT", "/api/v1/policy", {"laws": [{"country": "DE", "law": "gdpr"}], "sender": {"name": "Shop"}})
    assert [titles(signed_in(site, who).pull()) for who in ("ada", "bob", "eve")] == [[], ["card"], ["card"]]


def test_leaving_the_journey_clears_what_it_said_and_finishing_it_does_not(site: Shop) -> None:
    steps = [{"id": "say", "send": {"channel": "card", "template": "card"}}]
    wait = {"id": "wait", "wait_for": [{"event": "Never"}], "timeout": "9d"}
    entry = {"on": {"event": "Viewed"}}
    site.journey("short", {"entry": entry, "steps": steps})
    site.journey("long", {"entry": entry, "steps": [*steps, wait], "exit": [{"event": "Bought"}]})
    site.send(identify("ada"), track("ada", "Viewed"))
    browser = signed_in(site, "ada")
    assert titles(browser.pull()) == ["card", "card"]
    site.track("ada", "Bought")
    assert browser.pull() == []
    assert len(browser.answer["gone"]) == 1
    (left,) = site.get("/api/v1/profiles/user:ada/in-page")["items"]
    assert left["id"] not in browser.answer["gone"]


def test_what_is_paused_is_withheld(site: Shop) -> None:
    site.send(identify("ada"), track("ada", "Bought"))
    launch(site)
    browser = signed_in(site, "ada")
    (item,) = browser.pull()
    site.ask("POST", "/api/v1/sending/in_app/pause")
    assert (browser.pull(), browser.answer["gone"]) == ([], [item["id"]])
    site.ask("POST", "/api/v1/sending/in_app/resume")
    assert browser.pull() == [item]


@pytest.mark.parametrize(("channel", "life"), [("banner", "72h"), ("card", "30d"), ("inbox", "1h")])
def test_it_lies_there_to_the_last_instant(site: Shop, channel: str, life: str) -> None:
    site.send(identify("ada"))
    say(site, "ada", channel, **({"expires": life} if channel == "inbox" else {}))
    site.get("/api/v1/clock")
    site.advance(life)
    browser = signed_in(site, "ada")
    (item,) = browser.pull()
    assert item["expires_at"] == site.get("/api/v1/clock")["now"]
    site.advance("1s")
    assert (browser.pull(), browser.answer["gone"]) == ([], [item["id"]])
    assert browser.act(item, "impression") == 1  # it was seen before, and is told late
    assert site.facts("ada", "message_opened")


def test_quiet_hours_do_not_hold_it_and_caps_count_it(site: Shop) -> None:
    policy = {
        "caps": [{"channel": "card", "max": 1, "per": "1d", "window": "sliding", "then": "skip"}],
        "quiet_hours": {"from": "00:00", "to": "23:59", "then": "hold"},
    }
    site.ask("PUT", "/api/v1/policy", policy)
    site.send(identify("ada"))
    say(site, "ada", "card")
    say(site, "ada", "card")
    assert titles(signed_in(site, "ada").pull()) == ["card"]
    assert [each["properties"]["reason"] for each in site.facts("ada", "message_skipped")] == ["frequency_cap"]


def test_the_held_out_see_nothing(site: Shop) -> None:
    site.send(identify("ada"), track("ada", "Bought"))
    launch(site, holdout=100)
    assert signed_in(site, "ada").pull() == []
    assert site.get("/api/v1/campaigns/spring")["skipped"] == {"holdout": 1}


# what is done with it -------------------------------------------------------------------------------------------------


def test_a_journey_hears_a_dismissal(site: Shop) -> None:
    heard = {"event": "message_dismissed", "where": [{"property": "journey", "is": "greet"}], "next": "sorry"}
    steps = [
        {"id": "say", "send": {"channel": "in_app", "template": "offer"}},
        {"id": "wait", "wait_for": [heard], "timeout": "3d", "else": "done"},
        {"id": "sorry", "update": {"traits": {"mood": "not now"}}},
        {"id": "done", "update": {"traits": {"greeted": True}}},
    ]
    site.journey("greet", {"entry": {"on": {"event": "Viewed"}}, "steps": steps})
    site.send(identify("ada", name="Ada"), track("ada", "Viewed"))
    browser = signed_in(site, "ada")
    (item,) = browser.pull()
    browser.act(item, "dismiss")
    assert site.profile("ada")["traits"]["mood"] == "not now"
    assert (browser.pull(), browser.answer["gone"]) == ([], [item["id"]])


def test_shown_once_it_is_shown_in_no_other_browser(site: Shop) -> None:
    site.send(identify("ada"))
    say(site, "ada", "offer", "in_app")
    one, other = signed_in(site, "ada", "b1"), signed_in(site, "ada", "b2")
    (item,) = one.pull()
    assert other.pull() == [item]
    one.act(item, "impression")
    assert signed_in(site, "ada", "b3").pull() == []
    assert (one.pull(), one.answer["gone"]) == ([], [])  # it is open here at this moment


def test_an_inbox_keeps_what_was_read_until_it_is_deleted(site: Shop) -> None:
    site.send(identify("ada"))
    say(site, "ada", "inbox")
    one, other = signed_in(site, "ada", "b1"), signed_in(site, "ada", "b2")
    (item,) = one.pull()
    other.pull()
    assert item["read"] is False
    one.act(item, "read")
    one.act(item, "dismiss")
    assert (other.pull(), other.answer["read"]) == ([], [item["id"]])
    (again,) = signed_in(site, "ada", "b3").pull()
    assert again["read"] is True
    one.act(item, "delete")
    assert other.pull() == []
    assert other.answer["gone"] == [item["id"]]
    said = [each["event"] for each in site.timeline("ada")[::-1]]
    assert said[-3:] == ["message_read", "message_dismissed", "message_deleted"]


def test_an_act_counts_once_whoever_repeats_it(site: Shop) -> None:
    site.send(identify("ada"), track("ada", "Bought"))
    launch(site)
    browser = signed_in(site, "ada")
    (item,) = browser.pull()
    act = {"token": item["token"], "act": "click"}
    with ThreadPoolExecutor(6) as pool:
        for _ in range(6):
            pool.submit(site.call, "POST", "/in-page/acts", {**browser.said, "acts": [act, act]})
    times = [
        {**act, "button": "b1", "at": "2031-01-01T00:00:00Z"}, {**act, "button": "b2", "at": "2001-01-01T00:00:00Z"},
        {**act, "button": "b9"}, {**act, "act": "dismiss", "button": "b1"}, {**act, "button": "b2", "at": "yesterday"},
    ]  # fmt: skip
    assert browser.ask("/in-page/acts", acts=times).body == {"accepted": 3}
    clicks = site.facts("ada", "message_clicked")
    assert sorted(each["properties"].get("button", "") for each in clicks) == ["", "b1", "b2"]
    assert {each["timestamp"] for each in clicks} == {item["placed_at"]}


def test_two_browsers_that_come_at_once_take_delivery_once(site: Shop) -> None:
    site.send(identify("ada"))
    for template in ("card", "inbox", "banner"):
        say(site, "ada", template)
    site.get("/api/v1/clock")
    asked = signed_in(site, "ada").said
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: site.call("POST", "/in-page/pull", asked), range(6)))
    assert [len(each.body["items"]) for each in answers] == [3] * 6
    assert len(site.facts("ada", "message_delivered")) == 3


def test_without_a_provider_the_outbox_takes_it(shop: Shop) -> None:
    shop.ask("PUT", "/api/v1/templates/note", {"channel": "inbox", "subject": "Hi", "body": "Hello"})
    shop.send(identify("ada"))
    say(shop, "ada", "note", "inbox")
    (item,) = shop.outbox()
    assert (item["channel"], item["to"]) == ("inbox", shop.profile("ada")["id"])
    browser = signed_in(shop, "ada")
    assert (browser.pull(), browser.answer["again_after_s"]) == ([], 300)


def test_an_address_alone_is_not_written_to_here(site: Shop) -> None:
    to = site.get("/api/v1/profiles")["items"]
    body = {"to": to[0]["id"] if to else "prf_1", "channel": "inbox", "template": "inbox", "transactional": True}
    assert site.ask("POST", "/api/v1/messages", body, expect=422)["code"] == "invalid_address"


# as code --------------------------------------------------------------------------------------------------------------


def test_pages_are_kept_as_files(site: Shop) -> None:
    kept = site.get("/api/v1/definitions")
    (provider,) = [each for each in kept["definitions"] if each["kind"] == "provider"]
    assert provider["body"] == {"kind": "in_page", "channel": "in_page"}
    del provider["body"]["channel"]  # goes without saying
    assert site.ask("POST", "/api/v1/plan", kept)["changes"] == []
    offer = next(each for each in kept["definitions"] if each["name"] == "offer")
    offer["body"]["display"]["layout"] = "popup"
    refused = site.ask("POST", "/api/v1/plan", kept, expect=422)
    assert [each["pointer"].partition("/display")[2] for each in refused["errors"]] == ["/layout"]

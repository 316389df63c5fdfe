"""Journeys in the whole product: the calendar, moved runs, the list of runs, and what an operator does to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kizuna.testing.shop import Shop, identify, link_of, track

GO = {"on": {"event": "Go"}}
MAIL = {"id": "mail", "send": {"channel": "email", "template": "hello"}}
WAIT = {"id": "wait", "delay": "2d"}
ZONES = {"tokyo": "Asia/Tokyo", "york": "America/New_York", "london": "Europe/London"}


def customers(shop: Shop, **traits: Any) -> None:
    """One in each zone."""
    shop.template()
    for who, zone in ZONES.items():
        event = identify(who, email=f"{who}@example.com", **traits)
        shop.send({**event, "context": {"timezone": zone}})


def sent(shop: Shop) -> list[tuple[str, str]]:
    """(when, to whom), oldest first."""
    return sorted((each["at"], each["to"].partition("@")[0]) for each in shop.outbox())


def test_a_schedule_takes_each_customer_at_their_local_time(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(start="2026-03-06T00:00:00Z")
    customers(shop)
    entry = {"on": {"schedule": "30 2 * * sun", "zone": "profile"}, "again": "always"}
    shop.journey("weekly", {"entry": entry, "steps": [MAIL]})
    shop.get("/api/v1/journeys/weekly")
    shop.send({**identify("late", email="late@example.com"), "context": {"timezone": "Asia/Tokyo"}})
    shop.to("2026-03-16T00:00:00Z")
    assert sent(shop) == [
        ("2026-03-07T17:30:00Z", "late"),
        ("2026-03-07T17:30:00Z", "tokyo"),
        ("2026-03-08T02:30:00Z", "london"),
        ("2026-03-08T07:30:00Z", "york"),  # in the gap: with the offset before it
        ("2026-03-14T17:30:00Z", "late"),
        ("2026-03-14T17:30:00Z", "tokyo"),
        ("2026-03-15T02:30:00Z", "london"),
        ("2026-03-15T06:30:00Z", "york"),
    ]
    assert shop.counts("weekly")["entered"] == 8


def test_who_did_nothing_since_a_first_journey_by_the_calendar_was_published_is_taken_too(
    open_shop: Callable[..., Shop],
) -> None:
    shop = open_shop(start="2026-03-06T00:00:00Z")
    customers(shop, born="2000-02-29")
    shop.get("/api/v1/journeys")  # folded before anything is published: their records know no journey
    shop.journey("birthday", {"entry": {"on": {"anniversary": "born", "at": "09:00"}}, "steps": [MAIL]})
    assert shop.to("2027-03-01T00:00:00Z")
    assert sent(shop) == [
        ("2027-02-28T00:00:00Z", "tokyo"), ("2027-02-28T09:00:00Z", "london"), ("2027-02-28T14:00:00Z", "york"),
    ]  # fmt: skip


def test_the_audience_of_a_schedule_is_judged_when_it_occurs(shop: Shop) -> None:
    customers(shop)
    quiet = {"did_not": "Visited", "within": "3d"}
    entry = {"on": {"schedule": "0 12 * * *", "zone": "workspace"}, "audience": quiet, "again": "after_exit"}
    shop.send(track("tokyo", "Visited"), track("york", "Visited", "2026-02-27T12:00:00Z"))
    shop.journey("quiet", {"entry": entry, "steps": [MAIL]})
    shop.get("/api/v1/journeys")
    shop.to("2026-03-05T12:00:00Z")
    visits = [name for _, name in sent(shop)]
    assert (visits.count("tokyo"), visits.count("york"), visits.count("london")) == (1, 4, 4)


def test_pausing_a_schedule_loses_what_falls_into_the_pause(shop: Shop) -> None:
    customers(shop)
    entry = {"on": {"schedule": "0 12 * * *", "zone": "workspace"}, "again": "after_exit"}
    shop.journey("daily", {"entry": entry, "steps": [MAIL]})
    shop.to("2026-03-02T12:00:00Z")
    shop.ask("POST", "/api/v1/journeys/daily/pause")
    shop.to("2026-03-05T11:00:00Z")
    shop.ask("POST", "/api/v1/journeys/daily/resume")
    shop.to("2026-03-05T12:00:00Z")
    assert [at for at, name in sent(shop) if name == "tokyo"] == ["2026-03-02T12:00:00Z", "2026-03-05T12:00:00Z"]
    shop.ask("POST", "/api/v1/journeys/daily/stop")
    shop.advance("2d")
    assert len(sent(shop)) == 6


def test_a_map_moves_waiting_runs_at_that_instant(shop: Shop) -> None:
    customers(shop)
    shop.journey("welcome", {"entry": GO, "steps": [WAIT, MAIL]})
    shop.send(track("tokyo", "Go"), track("york", "Go"))
    shop.advance("2d")
    shop.track("london", "Go")
    shop.ask("PUT", "/api/v1/journeys/welcome", {"entry": GO, "steps": [{"id": "rest", "delay": "1h"}, MAIL]})
    shop.ask("POST", "/api/v1/journeys/welcome/publish", {"migrate": {"wait": "rest"}})
    shop.advance("1h")
    assert sent(shop) == [
        ("2026-03-04T10:00:00Z", "tokyo"), ("2026-03-04T10:00:00Z", "york"), ("2026-03-04T11:00:00Z", "london"),
    ]  # fmt: skip
    (moved,) = [
        each["properties"] for each in shop.facts("london", "journey_step") if "from_version" in each["properties"]
    ]
    assert (moved["step"], moved["version"], moved["from_version"]) == ("rest", 2, 1)


def test_the_runs_of_a_journey_are_listed_by_state_and_profile_page_by_page(shop: Shop) -> None:
    customers(shop)
    goal = {"event": "Bought", "within": "7d", "value": "properties.total"}
    entry = {**GO, "again": "always"}
    shop.journey("j", {"entry": entry, "goal": goal, "exit": [{"event": "Left"}], "steps": [WAIT, MAIL]})
    shop.track("tokyo", "Go")
    shop.advance("1h")
    shop.track("tokyo", "Bought", total="12.50")
    shop.track("york", "Go")
    shop.track("york", "Left")
    shop.advance("1h")
    shop.track("york", "Bought", total=7)
    shop.track("london", "Go")
    shop.track("london", "Go")
    runs = shop.all("/api/v1/journeys/j/runs", limit=2)
    names = {shop.profile(who)["id"]: who for who in ZONES}
    shown = [
        (names[each["profile"]], each["state"], each["step"], each["exit_reason"], each["goal_value"]) for each in runs
    ]
    assert sorted(shown[:2]) == [("london", "active", "wait", None, None)] * 2
    assert shown[2:] == [("york", "exited", "wait", "exit_event", 7), ("tokyo", "active", "wait", None, "12.50")]
    lines = {each["run"]: each for who in ZONES for each in shop.profile(who)["journeys"]}
    assert [{name: each[name] for name in lines[each["run"]]} for each in runs] == [lines[each["run"]] for each in runs]
    assert [each["run"] for each in shop.all("/api/v1/journeys/j/runs", state="exited")] == [runs[2]["run"]]
    assert [each["run"] for each in shop.all("/api/v1/journeys/j/runs", profile="user:tokyo")] == [runs[3]["run"]]
    shop.advance("2d")
    assert len(shop.all("/api/v1/journeys/j/runs", state="completed")) == 3
    counts = shop.counts("j")
    assert (counts["entered"], counts["completed"], counts["goal"], counts["value"]) == (4, 3, 2, "19.5")
    shop.ask("GET", "/api/v1/journeys/none/runs", expect=404)
    assert shop.ask("GET", "/api/v1/journeys/j/runs?state=lost", expect=400)["code"] == "invalid_state"
    assert shop.ask("GET", "/api/v1/journeys/j/runs?cursor=x", expect=400)["code"] == "invalid_cursor"


def test_an_entry_by_api_that_is_refused_says_why(shop: Shop) -> None:
    customers(shop)
    vip = {"trait": "plan", "is": "vip"}
    shop.journey("gift", {"entry": {"on": {"api": True}, "audience": vip}, "steps": [WAIT]})
    shop.get("/api/v1/journeys")
    shop.ask("POST", "/api/v1/journeys/gift/enter", {"profile": "user:tokyo"}, expect=202)
    shop.identify("tokyo", plan="vip")
    for _ in range(2):
        shop.ask("POST", "/api/v1/journeys/gift/enter", {"profile": "user:tokyo"}, expect=202)
    refused = [each["properties"]["reason"] for each in shop.facts("tokyo", "journey_refused")]
    assert refused == ["audience", "open"]
    shown = shop.get("/api/v1/journeys/gift")
    assert (shown["counts"]["entered"], shown["refused"]) == (1, 2)


def test_steps_of_later_slices_are_refused_by_name(shop: Shop) -> None:
    for step in ("points", "coupon", "reward", "task", "survey", "audience_sync"):
        document = {"entry": GO, "steps": [{"id": "a", "delay": "1h", "next": "b"}, {"id": "b", step: {}}]}
        shop.ask("PUT", "/api/v1/journeys/later", document)
        problem = shop.ask("POST", "/api/v1/journeys/later/publish", expect=422)
        assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [
            (f"/steps/1/{step}", "not_yet_supported")
        ]
        assert step in problem["errors"][0]["message"]


def test_a_split_that_learns_sends_more_of_what_is_clicked(shop: Shop) -> None:
    for name in ("a", "b"):
        shop.template(name, subject=name, body='<a href="https://shop.example/">shop</a>')
    says = [{"id": name, "send": {"channel": "email", "template": name}, "next": "end"} for name in ("a", "b")]
    split = {"id": "ab", "split": [{"next": "a"}, {"next": "b"}], "bandit": {"goal": "click"}}
    shop.journey("j", {"entry": GO, "steps": [split, *says]})
    shop.send(*(identify(f"one{n}", email=f"one{n}@example.com") for n in range(40)))
    shop.send(*(track(f"one{n}", "Go") for n in range(40)))
    mails = shop.outbox()
    for mail in mails:
        if mail["subject"] == "b":
            assert shop.call("GET", link_of(mail["body"], "c"), User_Agent="Mozilla/5.0").status == 302
    shop.track("one0", "Seen")  # a later write: reads wait for what was clicked before it
    before = shop.get("/api/v1/journeys/j")["bandits"]["ab"]
    assert [arm["weight"] for arm in before["arms"]] == [500, 500]
    drawn, won = ([arm[what] for arm in before["arms"]] for what in ("drawn", "won"))
    assert (sum(drawn), won) == (40, [0, drawn[1]])
    assert shop.ask("POST", "/api/v1/journeys/j/reweigh") == {"changed": ["ab"]}
    assert shop.ask("POST", "/api/v1/journeys/j/reweigh") == {"changed": []}
    first, second = (arm["weight"] for arm in shop.get("/api/v1/journeys/j")["bandits"]["ab"]["arms"])
    assert (first, second) == (20, 980)
    shop.send(*(identify(f"two{n}", email=f"two{n}@example.com") for n in range(40)))
    shop.send(*(track(f"two{n}", "Go") for n in range(40)))
    later = [mail["subject"] for mail in shop.outbox()[: -len(mails)]]
    assert len(later) == 40
    assert later.count("b") >= 35

"""A customer's life through the whole product: what comes in over HTTP, and all that follows as seen from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kizuna.testing.shop import Shop, identify, link_of, said, track

MAIL = {"id": "mail", "send": {"channel": "email", "template": "hello"}}
WAIT = {"id": "wait", "delay": "1d"}


def names(entries: list[Any]) -> list[str]:
    return [each["event"] for each in entries]


def welcome(**more: Any) -> dict[str, Any]:
    return {"entry": {"on": {"event": "Signed Up"}}, "steps": [WAIT, MAIL], **more}


# the whole circle ----------------------------------------------------------------------------------------------------


def test_an_event_becomes_a_segment_a_journey_a_mail_and_its_reports(shop: Shop) -> None:
    shop.template("hello", "Hi {{ profile.traits.name }}", '<p>Hello</p><a href="https://shop.example/sale">Sale</a>')
    shop.segment("buyers", {"did": "Bought"})
    steps = [{"id": "wait", "delay": "36h"}, MAIL, {"id": "heard", "wait_for": [{"event": "Bought"}], "timeout": "9d"}]
    shop.journey("thanks", {"entry": {"on": {"segment_entered": "buyers"}}, "steps": steps})
    shop.send(identify("ada", email="ada@example.com", name="Ada"), track("ada", "Bought", total=9))
    assert shop.profile("ada")["segments"] == ["buyers"]
    run = shop.profile("ada")["journeys"][0]
    assert (run["journey"], run["step"], run["state"], run["entered_at"]) == (
        "thanks", "wait", "active", "2026-03-02T10:00:00Z",
    )  # fmt: skip
    shop.advance("5d")
    (mail,) = shop.outbox()
    assert (mail["to"], mail["subject"], mail["journey"], mail["step"], mail["channel"], mail["template"]) == (
        "ada@example.com", "Hi Ada", "thanks", "mail", "email", "hello",
    )  # fmt: skip
    assert mail["at"] == "2026-03-03T22:00:00Z"
    assert mail["profile"] == shop.profile("ada")["id"]

    click = link_of(mail["body"], "c")
    answer = shop.http.get(click)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.example/sale")
    assert shop.http.get(link_of(mail["body"], "o")).headers["content-type"] == "image/gif"
    one_click = shop.http.post(
        link_of(mail["headers"]["List-Unsubscribe"], "u"), data={"List-Unsubscribe": "One-Click"}
    )
    assert one_click.status_code == 200
    shop.advance("0s")
    message = shop.get(f"/api/v1/messages/{mail['message_id']}")
    states = [each["state"] for each in message["history"]]
    assert states[:1] == ["planned"]
    assert {"sent", "clicked", "opened", "unsubscribed"} <= set(states)
    assert message["history"][0]["at"] == "2026-03-03T22:00:00Z"
    entries = shop.timeline("ada")
    assert {"message_sent", "message_clicked", "message_opened", "message_unsubscribed", "consent_changed"} <= {
        *names(entries)
    }
    (choice,) = [each for each in shop.profile("ada")["consent"]["email"].items() if each[1] == "opted_out"] or [None]
    assert choice


def test_the_timeline_is_newest_first_and_every_cause_can_be_looked_up(shop: Shop) -> None:
    shop.template()
    shop.segment("buyers", {"did": "Bought", "within": "3d"})
    shop.journey("thanks", {"entry": {"on": {"segment_entered": "buyers"}}, "steps": [WAIT, MAIL]})
    shop.identify("ada", email="ada@example.com")
    shop.advance("1h")
    shop.track("ada", "Bought")
    shop.advance("4d")
    entries = shop.timeline("ada")
    times = [each["timestamp"] for each in entries]
    assert times == sorted(times, reverse=True)
    known = {each["id"]: each for each in entries}
    assert len(known) == len(entries)
    caused = {each["event"]: each for each in entries if each["caused_by"]}
    for each in entries:
        cause = each["caused_by"]
        if each["type"] == "fact" and each["event"] not in ("segment_left", "profile_updated"):
            assert cause in known, f"{each['event']} was caused by {cause}, which is not in the timeline"
    assert known[caused["segment_entered"]["caused_by"]]["event"] == "Bought"
    assert known[caused["journey_entered"]["caused_by"]]["event"] == "segment_entered"
    assert caused["segment_left"]["timestamp"] == "2026-03-05T11:00:00Z"


def test_why_tells_the_chain(shop: Shop) -> None:
    shop.template()
    shop.segment("buyers", {"all": [{"did": "Bought"}, {"trait": "plan", "is": "gold"}]})
    shop.journey("thanks", {"entry": {"on": {"segment_entered": "buyers"}}, "steps": [MAIL]})
    shop.send(identify("ada", email="ada@example.com", plan="gold"), track("ada", "Bought"), track("grace", "Bought"))
    (mail,) = shop.outbox()
    path = "/api/v1/profiles/user:ada/why"
    why = shop.get(path, message=mail["message_id"])
    rules = [each["rule"] for each in why["chain"]]
    assert {"message_planned", "journey_entered", "segment_entered", "Bought"} <= set(rules)
    assert shop.get(path, journey="thanks")["answer"].startswith("journey_exited")
    inside = shop.get(path, segment="buyers")
    assert inside["answer"] == "segment_entered"
    outside = shop.get("/api/v1/profiles/user:grace/why", segment="buyers")
    assert outside["answer"] == "never a member"
    assert [(each["rule"], each["outcome"]) for each in outside["chain"]] == [
        ({"did": "Bought"}, "holds"), ({"trait": "plan", "is": "gold"}, "does not hold"),
    ]  # fmt: skip


# identity ------------------------------------------------------------------------------------------------------------


def test_identify_and_further_events_in_one_batch_judge_the_whole_history(shop: Shop) -> None:
    shop.segment("twice", {"did": "Viewed", "count": {"gte": 2}})
    shop.send(track("~a1", "Viewed"))
    shop.send(
        identify("ada~a1", plan="gold"), track("ada", "Viewed"), identify("ada", plan="silver"), track("~a1", "Viewed")
    )
    ada = shop.profile("ada")
    assert (ada["segments"], ada["traits"]) == (["twice"], {"plan": "silver"})
    assert {"type": "anonymous_id", "id": "a1"} in ada["identities"]
    assert shop.profile("~a1")["id"] == ada["id"]
    assert names(shop.timeline("ada")).count("Viewed") == 3
    assert len(shop.facts("ada", "segment_entered")) == 1
    assert shop.get("/api/v1/segments/twice")["size"] == 1
    assert shop.members("twice") == {"ada"}


def test_runs_consent_segments_and_devices_of_the_anonymous_come_along(shop: Shop) -> None:
    shop.template()
    shop.segment("viewers", {"did": "Viewed"})
    shop.journey("greet", {"entry": {"on": {"event": "Viewed"}}, "steps": [{"id": "wait", "delay": "2d"}, MAIL]})
    shop.send(identify("~a1", email="a@example.com"), track("~a1", "Viewed"))
    shop.advance("1d")
    before = shop.profile("~a1")
    shop.send(identify("ada~a1"))
    ada = shop.profile("ada")
    assert ada["id"] != before["id"]
    assert (ada["segments"], ada["traits"]) == (["viewers"], {"email": "a@example.com"})
    assert ada["journeys"][0]["run"] == before["journeys"][0]["run"]
    assert ada["created_at"] == "2026-03-02T10:00:00Z"
    assert shop.members("viewers") == {"ada"}
    assert shop.get("/api/v1/segments/viewers")["size"] == 1
    counts = shop.counts("greet")
    assert (counts["entered"], counts["active"]) == (1, 1)
    shop.advance("1d")
    (mail,) = shop.outbox()
    assert (mail["to"], mail["at"], mail["profile"]) == ("a@example.com", "2026-03-04T10:00:00Z", ada["id"])
    assert len(shop.facts("ada", "segment_entered")) == 1


def test_two_runs_of_one_journey_become_the_older_one(shop: Shop) -> None:
    shop.journey("greet", {"entry": {"on": {"event": "Viewed"}}, "steps": [{"id": "wait", "delay": "9d"}]})
    shop.track("~a1", "Viewed")
    shop.advance("1h")
    shop.track("ada", "Viewed")
    shop.advance("1h")
    shop.send(identify("ada~a1"))
    counts = shop.counts("greet")
    assert (counts["entered"], counts["active"], counts["exited"]) == (2, 1, {"merged": 1})
    runs = {each["state"]: each["entered_at"] for each in shop.profile("ada")["journeys"]}
    assert runs["active"] == "2026-03-02T10:00:00Z"


def test_events_of_a_joined_id_are_forwarded_and_count_at_their_own_time(shop: Shop) -> None:
    shop.segment("recent", {"did": "Viewed", "within": "2d"})
    shop.send(identify("ada~a1"))
    shop.advance("5d")
    shop.send(track("~a1", "Viewed", "2026-03-06T10:00:00Z"))
    assert shop.profile("ada")["segments"] == ["recent"]
    assert shop.profile("ada")["last_seen_at"] == "2026-03-06T10:00:00Z"
    shop.to("2026-03-08T09:59:59Z")
    assert shop.profile("ada")["segments"] == ["recent"]
    shop.to("2026-03-08T10:00:00Z")
    assert shop.profile("ada")["segments"] == []


def test_an_anonymous_id_shared_by_two_stays_with_the_first(shop: Shop) -> None:
    shop.send(track("~a1", "Viewed"))
    shop.send(identify("ada~a1", name="Ada"))
    assert shop.profile("ada")["traits"] == {
        "name": "Ada"
    }  # hers before anybody else asks: partitions run by themselves
    shop.send(identify("grace~a1", name="Grace"), track("grace", "Viewed"))
    shop.send(track("~a1", "Viewed"))
    assert shop.profile("~a1")["id"] == shop.profile("ada")["id"] != shop.profile("grace")["id"]
    assert names(shop.timeline("ada")).count("Viewed") == 2
    assert names(shop.timeline("grace")).count("Viewed") == 1
    assert shop.profile("grace")["traits"] == {"name": "Grace"}


def test_both_ask_for_one_anonymous_id_in_the_same_batch(shop: Shop) -> None:
    shop.send(track("~a1", "Viewed"))
    shop.send(identify("ada~a1", name="Ada"), identify("grace~a1", name="Grace"), track("grace", "Viewed"))
    owners = {shop.profile(who)["id"] for who in ("ada", "grace")}
    assert shop.profile("~a1")["id"] in owners
    assert {shop.profile(who)["traits"]["name"] for who in ("ada", "grace")} == {"Ada", "Grace"}
    assert sum(names(shop.timeline(who)).count("Viewed") for who in ("ada", "grace")) == 2


def test_alias_joins_what_was_said_before(shop: Shop) -> None:
    shop.send(identify("~a1", city="Kyoto"), track("~a1", "Viewed"))
    shop.send(said("alias", "ada", previousId="a1"))
    assert shop.profile("ada")["traits"] == {"city": "Kyoto"}
    assert shop.profile("~a1")["id"] == shop.profile("ada")["id"]


def test_a_chain_of_anonymous_ids(shop: Shop) -> None:
    shop.segment("three", {"sum": {"event": "Paid", "property": "n"}, "is": 7})
    shop.send(track("~a1", "Paid", n=1), track("~a2", "Paid", n=2), track("ada", "Paid", n=4))
    shop.send(identify("ada~a1"), identify("ada~a2"), track("~a2", "Nothing"))
    assert shop.members("three") == {"ada"}
    assert len([each for each in shop.profile("ada")["identities"] if each["type"] == "anonymous_id"]) == 2


def test_late_out_of_order_and_twice(shop: Shop) -> None:
    shop.segment("two", {"did": "Paid", "count": {"is": 2}})
    shop.segment("last", {"last": {"event": "Paid", "property": "n"}, "is": 1})
    first = track("ada", "Paid", "2026-03-02T09:00:00Z", n=2)
    again = {**track("ada", "Paid", "2026-03-02T09:30:00Z", n=1), "messageId": "same"}
    shop.send(again, again)
    shop.send(again)
    shop.send(first)
    assert shop.profile("ada")["segments"] == ["last", "two"]
    assert names(shop.timeline("ada")).count("Paid") == 2
    shop.identify("ada", "2026-03-02T08:00:00Z", plan="old", city="Kyoto")
    shop.identify("ada", "2026-03-02T09:00:00Z", plan="new")
    shop.identify("ada", "2026-03-02T08:30:00Z", plan="middle", city=None)
    assert shop.profile("ada")["traits"] == {"plan": "new"}


# exact windows -------------------------------------------------------------------------------------------------------


def test_a_member_leaves_at_the_very_instant(shop: Shop) -> None:
    shop.segment("recent", {"did": "Viewed", "within": "7d"})
    shop.segment("quiet", {"did_not": "Viewed", "within": "7d"})
    shop.track("ada", "Viewed", "2026-03-02T09:59:59.123456Z")
    assert shop.profile("ada")["segments"] == ["recent"]
    shop.to("2026-03-09T09:59:59.123455Z")
    assert shop.profile("ada")["segments"] == ["recent"]
    shop.to("2026-03-09T09:59:59.123456Z")
    assert shop.profile("ada")["segments"] == ["quiet"]
    assert shop.facts("ada", "segment_left")[0]["timestamp"] == "2026-03-09T09:59:59.123456Z"
    shop.advance("30d")
    (left,), (entered,) = shop.facts("ada", "segment_left"), shop.facts("ada", "segment_entered")[1:]
    assert left["timestamp"] == entered["timestamp"] == "2026-03-09T09:59:59.123456Z"


def test_calendar_windows_are_cut_in_the_customers_zone(shop: Shop) -> None:
    shop.segment("month", {"did": "Viewed", "within": "1mo"})
    event = track("ada", "Viewed", "2026-02-28T05:00:00Z")  # 14:00 in Tokyo
    shop.send({**identify("ada"), "context": {"timezone": "Asia/Tokyo"}}, event)
    shop.to("2026-03-28T04:59:59Z")
    assert shop.profile("ada")["segments"] == ["month"]
    shop.to("2026-03-28T05:00:00Z")
    assert shop.profile("ada")["segments"] == []


def test_an_event_dated_in_the_future_acts_when_the_clock_reaches_it(shop: Shop) -> None:
    shop.segment("viewers", {"did": "Viewed"})
    shop.journey("greet", {"entry": {"on": {"event": "Viewed"}}, "steps": [{"id": "wait", "delay": "1d"}]})
    shop.track("ada", "Viewed", "2026-03-05T00:00:00Z")
    assert shop.profile("ada")["segments"] == []
    shop.to("2026-03-04T23:59:59Z")
    assert (shop.profile("ada")["segments"], shop.counts("greet")["entered"]) == ([], 0)
    shop.to("2026-03-09T00:00:00Z")
    assert shop.profile("ada")["segments"] == ["viewers"]
    assert shop.profile("ada")["journeys"][0]["entered_at"] == "2026-03-05T00:00:00Z"
    assert shop.profile("ada")["journeys"][0]["left_at"] == "2026-03-06T00:00:00Z"


# journeys ------------------------------------------------------------------------------------------------------------


def waiting(**more: Any) -> dict[str, Any]:
    return {
        "entry": {"on": {"event": "Start"}, "again": "after_exit"},
        "steps": [
            {"id": "hear", "wait_for": [{"event": "Opened", "next": "yes"}], "timeout": "1d", "else": "no"},
            {"id": "yes", "update": {"traits": {"heard": "yes"}}, "next": "end"},
            {"id": "no", "update": {"traits": {"heard": "no"}}},
        ],
        **more,
    }


@pytest.mark.parametrize(
    ("opened", "heard"),
    [("2026-03-03T09:59:59Z", "yes"), ("2026-03-03T10:00:00Z", "yes"), ("2026-03-03T10:00:00.000001Z", "no")],
)
def test_an_event_at_exactly_the_timeout_is_in_time(shop: Shop, opened: str, heard: str) -> None:
    shop.journey("hear", waiting())
    shop.track("ada", "Start")
    shop.track("ada", "Opened", opened)
    shop.advance("3d")
    assert shop.profile("ada")["traits"] == {"heard": heard}


def test_an_event_that_comes_at_the_timeout_of_a_clock_that_stands_there(shop: Shop) -> None:
    shop.journey("hear", waiting())
    shop.track("ada", "Start")
    shop.to("2026-03-03T09:59:59.999999Z")
    shop.track("ada", "Opened")
    shop.advance("1d")
    assert shop.profile("ada")["traits"] == {"heard": "yes"}


def test_a_day_is_24_hours_and_days_keep_the_local_time(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(start="2026-03-28T12:00:00Z", zone="Europe/London")  # clocks go forward on the 29th
    shop.template()
    for name, delay in (("exact", "1d"), ("local", {"days": 1}), ("nine", {"at": "01:30"})):
        steps = [{"id": "wait", "delay": delay}, {**MAIL, "id": name}]
        shop.journey(name, {"entry": {"on": {"event": "Start"}}, "steps": steps})
    shop.send(identify("ada", email="ada@example.com"), track("ada", "Start"))
    shop.advance("5d")
    assert {each["step"]: each["at"] for each in shop.outbox()} == {
        "exact": "2026-03-29T12:00:00Z",
        "local": "2026-03-29T11:00:00Z",
        "nine": "2026-03-29T01:30:00Z",  # 01:30 does not exist that night: the offset before the gap
    }


def test_again_after_exactly_the_length(shop: Shop) -> None:
    entry = {"on": {"event": "Start"}, "again": {"after": "30d"}}
    shop.journey("again", {"entry": entry, "steps": [{"id": "wait", "delay": "1h"}]})
    shop.track("ada", "Start")
    shop.to("2026-04-01T09:59:59.999999Z")
    shop.track("ada", "Start")
    assert shop.counts("again")["entered"] == 1
    shop.to("2026-04-01T10:00:00Z")
    shop.track("ada", "Start")
    assert shop.counts("again")["entered"] == 2


def test_exits_come_before_steps_of_the_same_instant(shop: Shop) -> None:
    shop.template()
    shop.segment("active", {"did": "Start", "within": "1d"})
    shop.journey("by_event", welcome(entry={"on": {"event": "Start"}}, exit=[{"event": "Bought"}]))
    shop.journey("by_segment", welcome(entry={"on": {"event": "Start"}}, exit=[{"segment_left": "active"}]))
    rule = {"did_not": "Start", "within": "1d"}
    shop.journey("by_rule", welcome(entry={"on": {"event": "Start"}}, exit=[{"rule": rule}]))
    shop.send(identify("ada", email="ada@example.com"), track("ada", "Start"))
    shop.track("ada", "Bought", "2026-03-03T10:00:00Z")
    shop.advance("3d")
    assert shop.outbox() == []
    assert [shop.counts(name)["exited"] for name in ("by_event", "by_segment", "by_rule")] == [
        {"exit_event": 1}, {"segment_left": 1}, {"exit_rule": 1},
    ]  # fmt: skip


def test_holdouts_are_tracked_and_receive_nothing(shop: Shop) -> None:
    shop.template()
    document = {
        "entry": {"on": {"event": "Start"}, "holdout": 100},
        "goal": {"event": "Bought", "within": "5d", "value": "properties.total"},
        "steps": [MAIL, {"id": "wait", "delay": "1d"}],
    }
    shop.journey("held", document)
    shop.send(identify("ada", email="ada@example.com"), track("ada", "Start"))
    shop.advance("2d")
    shop.track("ada", "Bought", total=12.5)
    assert shop.outbox() == []
    counts = shop.counts("held")
    assert (counts["entered"], counts["completed"], counts["goal"]) == (1, 1, 1)
    (message,) = shop.all("/api/v1/messages", journey="held")
    assert (message["state"], message["reason"]) == ("skipped", "holdout")
    (goal,) = shop.facts("ada", "journey_goal")
    assert goal["properties"]["value"] == 12.5


def test_a_goal_counts_up_to_and_including_its_edge(shop: Shop) -> None:
    document = {
        "entry": {"on": {"event": "Start"}},
        "goal": {"event": "Bought", "within": "5d"},
        "steps": [{"id": "wait", "delay": "1d"}],
    }
    shop.journey("goal", document)
    shop.send(track("ada", "Start"), track("grace", "Start"))
    shop.send(track("ada", "Bought", "2026-03-07T10:00:00Z"), track("grace", "Bought", "2026-03-07T10:00:00.000001Z"))
    shop.advance("9d")
    assert shop.counts("goal")["goal"] == 1
    assert len(shop.facts("ada", "journey_goal")) == 1


def test_runs_stay_on_their_version(shop: Shop) -> None:
    shop.template("old", subject="Old")
    shop.template("new", subject="New")
    for template in ("old", "new"):
        mail = {"id": "mail", "send": {"channel": "email", "template": template}}
        shop.journey("welcome", welcome(steps=[{"id": "wait", "delay": "1d"}, mail]))
        shop.send(identify(f"u-{template}", email=f"{template}@example.com"), track(f"u-{template}", "Signed Up"))
    shop.advance("2d")
    assert {each["to"]: each["subject"] for each in shop.outbox()} == {
        "old@example.com": "Old", "new@example.com": "New",
    }  # fmt: skip
    assert [shop.profile(who)["journeys"][0]["version"] for who in ("u-old", "u-new")] == [1, 2]


def test_paused_resumed_and_stopped(shop: Shop) -> None:
    shop.template()
    shop.journey("welcome", welcome())
    shop.send(identify("ada", email="ada@example.com"), track("ada", "Signed Up"))
    shop.ask("POST", "/api/v1/journeys/welcome/pause")
    shop.track("grace", "Signed Up")
    shop.advance("3d")
    assert (shop.outbox(), shop.counts("welcome")["entered"]) == ([], 1)
    shop.ask("POST", "/api/v1/journeys/welcome/resume")
    assert [each["at"] for each in shop.outbox()] == ["2026-03-05T10:00:00Z"]
    shop.track("linus", "Signed Up")
    shop.ask("POST", "/api/v1/journeys/welcome/stop")
    counts = shop.counts("welcome")
    assert (counts["active"], counts["completed"], counts["exited"]) == (0, 1, {"stopped": 1})
    shop.advance("9d")
    assert len(shop.outbox()) == 1


# the clock -----------------------------------------------------------------------------------------------------------


def test_the_clock_never_goes_back(shop: Shop) -> None:
    problem = shop.ask("POST", "/api/v1/clock", {"to": "2026-03-02T09:59:59Z"}, expect=422)
    assert problem["code"] == "clock_goes_back"
    assert "2026-03-02T10:00:00Z" in problem["detail"]
    assert shop.get("/api/v1/clock") == {"now": "2026-03-02T10:00:00Z"}
    assert shop.advance("0s") == "2026-03-02T10:00:00Z"
    assert shop.to("2026-03-02T10:00:00Z") == "2026-03-02T10:00:00Z"
    moved = shop.call("POST", "/api/v1/clock", {"advance": "1d"})
    assert (moved.body, bool(moved.position)) == ({"now": "2026-03-03T10:00:00Z"}, True)


def test_advancing_by_nothing_settles(shop: Shop) -> None:
    shop.segment("viewers", {"did": "Viewed"})
    shop.send(*(track(f"u{number}", "Viewed") for number in range(50)))
    shop.advance("0s")
    assert shop.ask("GET", "/api/v1/segments/viewers")["size"] == 50


def test_a_long_way_over_many_timers_fires_each_at_its_own_instant(shop: Shop) -> None:
    many = 1_200
    shop.segment("recent", {"did": "Viewed", "within": "10d"})
    steps = [{"id": "a", "delay": "1d"}, {"id": "b", "delay": "1d"}, {"id": "c", "delay": "1d"}]
    shop.journey("walk", {"entry": {"on": {"event": "Viewed"}}, "steps": steps})
    shop.send(*(track(f"u{number}", "Viewed") for number in range(many)))
    shop.advance("20d")
    counts = shop.counts("walk")
    assert (counts["entered"], counts["active"], counts["completed"]) == (many, 0, many)
    assert shop.get("/api/v1/segments/recent")["size"] == 0
    for who in ("u0", "u600", "u1199"):
        steps_at = [each["timestamp"] for each in shop.facts(who, "journey_step")]
        assert steps_at == ["2026-03-02T10:00:00Z", "2026-03-03T10:00:00Z", "2026-03-04T10:00:00Z"]
        assert shop.facts(who, "segment_left")[0]["timestamp"] == "2026-03-12T10:00:00Z"


# positions -----------------------------------------------------------------------------------------------------------


def test_every_kind_of_read_waits_for_a_position(shop: Shop) -> None:
    shop.template()
    shop.segment("buyers", {"did": "Bought"})
    shop.journey("thanks", {"entry": {"on": {"segment_entered": "buyers"}}, "steps": [MAIL]})
    for number in range(8):
        who = f"u{number}"
        shop.send(identify(f"{who}~{who}", email=f"{who}@example.com"), track(who, "Bought", total=2))
        match number:
            case 0:
                assert shop.profile(who)["segments"] == ["buyers"]
            case 1:
                assert who in shop.members("buyers")
            case 2:
                assert shop.get("/api/v1/segments/buyers")["size"] == number + 1
            case 3:
                assert shop.counts("thanks")["completed"] == number + 1
            case 4:
                assert len(shop.outbox()) == number + 1
            case 5:
                assert len(shop.all("/api/v1/messages", state="sent")) == number + 1
            case 6:
                assert {"message_sent", "journey_exited"} <= set(names(shop.timeline(who)))
            case 7:
                assert len(shop.all("/api/v1/profiles", segment="buyers")) == number + 1
                path = f"/api/v1/segments/preview?after={shop.position}"
                preview = shop.ask("POST", path, {"where": {"did": "Bought"}})
                assert preview["count"] == number + 1


def test_a_position_not_yet_settled_is_said_so(shop: Shop) -> None:
    shop.track("ada", "Viewed")
    ahead = str(int(shop.position) + 1_000_000)
    assert shop.ask("GET", f"/api/v1/profiles/user:ada?after={ahead}&wait=1s", expect=200)
    assert shop.ask("GET", "/api/v1/profiles/user:ada?after=abc", expect=400)["code"] == "invalid_position"

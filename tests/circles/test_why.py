"""Why, and why not: every skipped message and every closed gate is explained by the rule and the value it saw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kizuna.testing.shop import Shop, identify, ref, track

MAIL = {"channel": "email", "template": "hello", "topic": "news"}
SAY = {"id": "say", "send": MAIL}
OUT = {"channel": "email", "source": "api", "state": "opted_out"}


def why(shop: Shop, who: str, **about: str) -> Any:
    return shop.get(f"/api/v1/profiles/{ref(who)}/why", **about)


def test_every_skipped_message_of_a_shop_says_the_rule_and_what_it_saw(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(consent="opt_in")
    shop.template("hello")
    shop.journey("tell", {"entry": {"on": {"event": "Bought"}}, "steps": [SAY]})
    shop.journey("kept", {"entry": {"on": {"event": "Kept"}, "holdout": 100}, "steps": [SAY]})
    shop.send(*[identify(who, email=f"{who}@example.com") for who in ("ada", "grace", "eve")])
    shop.send(identify("odd", email="not an address"), identify("none", name="No"))
    shop.advance("0s")
    shop.ask("PUT", f"/api/v1/profiles/{ref('grace')}/consent", {**OUT, "topic": "news"})
    shop.ask("PUT", f"/api/v1/profiles/{ref('eve')}/consent", {**OUT, "state": "opted_in"})
    shop.send(*[track(who, "Bought") for who in ("ada", "grace", "odd", "none")], track("eve", "Kept"))
    shop.advance("1h")
    shop.ask("PUT", f"/api/v1/profiles/{ref('ada')}/consent", {**OUT, "state": "opted_in"})  # later: seen as it was
    skipped = shop.all("/api/v1/messages", state="skipped")
    assert len(skipped) == 5
    found: dict[str, Any] = {}
    for message in skipped:
        said = shop.get(f"/api/v1/profiles/{message['profile']}/why", message=message["id"])
        first = said["chain"][0]
        assert said["answer"] == f"message_skipped: {message['reason']}"
        assert first["outcome"] == message["reason"]
        assert first["rule"]
        assert first["version"] == 1
        who = next(
            name for name in ("ada", "grace", "eve", "odd", "none") if shop.profile(name)["id"] == message["profile"]
        )
        found[who] = (message["reason"], first["rule"], first["seen"])
    asked = {"consent": {"channel": "email", "topic": "news", "neutral_means": "opt_in"}}
    assert found["ada"] == ("no_consent", asked, {"channel": "neutral", "topic": "neutral"})
    assert found["grace"] == ("no_consent", asked, {"channel": "neutral", "topic": "opted_out"})
    assert found["odd"] == ("invalid_address", {"address": "email"}, "not an address")
    assert found["none"] == ("no_address", {"address": "email"}, None)
    reason, rule, seen = found["eve"]
    assert (reason, rule) == ("holdout", {"holdout": 100})
    assert 0 <= seen["share"] < 100


def test_a_cap_says_what_was_counted(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.template("hello")
    shop.ask("PUT", "/api/v1/policy", {"caps": [{"channel": "email", "max": 1, "per": "1d", "then": "skip"}]})
    twice = [SAY, {"id": "again", "send": MAIL}]
    shop.journey("tell", {"entry": {"on": {"event": "Bought"}}, "steps": twice})
    shop.send(identify("ada", email="ada@example.com"), track("ada", "Bought"))
    [message] = [each for each in shop.all("/api/v1/messages") if each["state"] == "skipped"]
    first = why(shop, "ada", message=message["id"])["chain"][0]
    assert first["outcome"] == "frequency_cap"
    assert first["rule"]["policy"]["caps"][0]["max"] == 1
    assert [each["channel"] for each in first["seen"]["counted"]] == ["email"]


GOLD = {"all": [{"trait": "plan", "is": "gold"}, {"did": "Visited", "count": {"gte": 2}, "within": "5d"}]}


@pytest.mark.parametrize(
    ("entry", "gate", "rule", "seen"),
    [
        ({"on": {"event": "Sold"}}, "no_trigger", {"event": "Sold"}, {"events": 0, "matching": 0}),
        (
            {"on": {"event": "Bought", "where": [{"property": "total", "gte": 9}]}},
            "no_trigger",
            {"event": "Bought", "where": [{"property": "total", "gte": 9}]},
            {"events": 1, "matching": 0},
        ),
        ({"on": {"event": "Bought"}, "audience": GOLD}, "audience", {"audience": GOLD}, False),
        ({"on": {"event": "Bought"}, "key": "properties.order"}, "no_key", {"key": "properties.order"}, None),
        ({"on": {"event": "Old"}, "max_age": "1h"}, "max_age", {"max_age": "1h"}, "2026-03-02T08:00:00Z"),
        ({"on": {"api": True}}, "nobody_asked", {"api": True}, None),
    ],
)
def test_a_journey_never_entered_says_which_gate_was_closed(
    open_shop: Callable[..., Shop], entry: Any, gate: str, rule: Any, seen: Any
) -> None:
    shop = open_shop()
    shop.journey("tell", {"entry": entry, "steps": [{"id": "wait", "delay": "1d"}]})
    shop.send(identify("ada", plan="blue"), track("ada", "Visited"), track("ada", "Bought", total=5))
    shop.send(track("ada", "Old", at="2026-03-02T08:00:00Z"))
    shop.advance("1h")
    shop.send(identify("ada", plan="gold"), track("ada", "Visited"))  # too late for the gate: it is judged as it was
    said = why(shop, "ada", journey="tell")
    assert said["answer"] == f"never entered: {gate}"
    first = said["chain"][0]
    assert (first["rule"], first["seen"], first["outcome"], first["version"]) == (rule, seen, gate, 1)
    if gate == "audience":
        parts = [(each["rule"], each["seen"], each["outcome"]) for each in said["chain"][1:3]]
        assert parts == [(GOLD["all"][0], "blue", "does not hold"), (GOLD["all"][1], 1, "does not hold")]


def test_what_came_before_the_journey_while_the_clock_stood_still_is_told_so(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.track("ada", "Bought")
    shop.journey("tell", {"entry": {"on": {"event": "Bought"}}, "steps": [{"id": "wait", "delay": "1d"}]})
    said = why(shop, "ada", journey="tell")
    assert said["answer"] == "never entered: before_publish"
    assert said["chain"][0]["seen"]["latest"] == said["chain"][0]["seen"]["published_at"]


def test_who_entered_and_may_not_again_is_told_why(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.journey(
        "tell", {"entry": {"on": {"event": "Bought"}, "again": {"after": "3d"}}, "steps": [{"id": "w", "delay": "1h"}]}
    )
    shop.track("ada", "Bought")
    assert why(shop, "ada", journey="tell")["chain"][0]["rule"] == "journey_step"
    shop.advance("1d")
    shop.track("ada", "Bought")
    first = why(shop, "ada", journey="tell")["chain"][0]
    assert (first["outcome"], first["rule"]) == ("again", {"again": {"after": "3d"}})
    assert first["seen"] == {"open_since": None, "entered_at": "2026-03-02T10:00:00Z"}
    shop.ask("POST", "/api/v1/journeys/tell/pause")
    assert why(shop, "ada", journey="tell")["chain"][0]["outcome"] == "paused"


def test_a_segment_says_what_each_part_sees(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    total = {"sum": {"event": "Bought", "property": "total"}, "gte": 100}
    shop.segment("vip", {"all": [total, {"not": {"trait": "plan", "is": "staff"}}, {"any": [{"did": "Visited"}]}]})
    shop.send(track("ada", "Bought", total=40.5), track("ada", "Bought", total=2), identify("ada", plan="staff"))
    said = why(shop, "ada", segment="vip")
    assert said["answer"] == "never a member"
    assert [(each["rule"], each["seen"], each["outcome"]) for each in said["chain"]] == [
        (total, "42.5", "does not hold"),
        ({"trait": "plan", "is": "staff"}, "staff", "holds"),
        ({"did": "Visited"}, 0, "does not hold"),
    ]
    assert shop.call("GET", f"/api/v1/profiles/{ref('ada')}/why?segment=none").status == 404

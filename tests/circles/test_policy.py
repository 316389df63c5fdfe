"""The policy through the whole product: who may be written to how often and when, and what becomes of who waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kizuna.testing.shop import Shop, identify, track

NEVER_QUIET = {"caps": [{"channel": "email", "max": 1, "per": "1d", "window": "sliding", "then": "hold"}]}


@pytest.fixture
def ada(open_shop: Callable[..., Shop]) -> Shop:
    """Ada in Tokyo, who is written to whenever she pings; it is 09:00 there."""
    shop = open_shop(start="2026-03-02T00:00:00Z")
    shop.template()
    shop.journey(
        "echo",
        {
            "entry": {"on": {"event": "Ping"}, "again": "always"},
            "steps": [{"id": "mail", "send": {"channel": "email", "template": "hello", "topic": "news"}}],
        },
    )
    identify_in(shop, "ada", "Asia/Tokyo")
    return shop


def identify_in(shop: Shop, who: str, zone: str) -> None:
    shop.send({**identify(who, email=f"{who}@example.com"), "context": {"timezone": zone}})


def policy(shop: Shop, **body: Any) -> None:
    shop.ask("PUT", "/api/v1/policy", body)


def ping(shop: Shop, who: str = "ada") -> None:
    shop.send(track(who, "Ping"))
    shop.advance("0s")


def arrivals(shop: Shop) -> list[str]:
    """Oldest first."""
    return [each["at"] for each in shop.outbox()[::-1]]


def messages(shop: Shop) -> list[tuple[str, str | None]]:
    found = shop.all("/api/v1/messages", limit=200)
    return sorted((each["state"], each["reason"]) for each in found)


def test_a_new_workspace_has_no_caps_and_no_quiet_hours(ada: Shop) -> None:
    shown = ada.get("/api/v1/policy")
    assert (shown["caps"], shown["quiet_hours"], shown["version"]) == ([], None, None)
    for _ in range(5):
        ping(ada)
    assert len(ada.outbox()) == 5


def test_a_sliding_cap_skips_to_the_microsecond(ada: Shop) -> None:
    policy(ada, caps=[{"channel": "email", "max": 2, "per": "1d", "window": "sliding", "then": "skip"}])
    for time in ("2026-03-02T01:00:00Z", "2026-03-02T02:00:00Z", "2026-03-03T00:59:59.999999Z", "2026-03-03T01:00:00Z"):
        ada.to(time)
        ping(ada)
    assert arrivals(ada) == ["2026-03-02T01:00:00Z", "2026-03-02T02:00:00Z", "2026-03-03T01:00:00Z"]
    assert messages(ada).count(("skipped", "frequency_cap")) == 1
    assert len(ada.facts("ada", "message_skipped")) == 1


def test_a_calendar_cap_begins_anew_at_local_midnight(ada: Shop) -> None:
    policy(ada, caps=[{"channel": "email", "max": 1, "per": "1d", "window": "calendar", "then": "skip"}])
    for time in ("2026-03-02T14:00:00Z", "2026-03-02T14:59:59Z", "2026-03-02T15:00:00Z"):  # midnight in Tokyo
        ada.to(time)
        ping(ada)
    assert arrivals(ada) == ["2026-03-02T14:00:00Z", "2026-03-02T15:00:00Z"]


def test_who_is_held_goes_in_turn_or_expires(ada: Shop) -> None:
    policy(ada, **NEVER_QUIET)
    for _ in range(4):
        ping(ada)
    assert messages(ada) == [*[("planned", None)] * 3, ("sent", None)]
    ada.advance("10d")
    assert arrivals(ada) == ["2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"]
    assert messages(ada) == [("expired", "frequency_cap"), *[("sent", None)] * 3]
    assert [each["timestamp"] for each in ada.facts("ada", "message_expired")] == ["2026-03-04T00:00:00Z"]


def test_an_opt_out_ends_those_who_wait(ada: Shop) -> None:
    policy(ada, **NEVER_QUIET)
    ping(ada)
    ping(ada)
    ada.ask("PUT", "/api/v1/profiles/user:ada/consent", {"channel": "email", "state": "opted_out", "source": "test"})
    ada.advance("3d")
    assert messages(ada) == [("sent", None), ("skipped", "no_consent")]


def test_a_new_policy_lets_those_who_wait_go(ada: Shop) -> None:
    policy(ada, **NEVER_QUIET)
    ping(ada)
    ping(ada)
    ada.advance("1h")
    policy(ada)
    assert arrivals(ada) == ["2026-03-02T00:00:00Z", "2026-03-02T01:00:00Z"]


def test_quiet_hours_hold_until_their_end_in_each_zone(ada: Shop) -> None:
    identify_in(ada, "bob", "America/New_York")
    identify_in(ada, "eve", "Europe/Paris")
    policy(ada, quiet_hours={"from": "21:00", "to": "08:00", "then": "hold"})
    ada.to("2026-03-02T12:00:00Z")  # 21:00 in Tokyo, 13:00 in Paris, 07:00 in New York
    for who in ("ada", "bob", "eve"):
        ping(ada, who)
    assert [each["to"] for each in ada.outbox()] == ["eve@example.com"]
    ada.advance("1d")
    assert {each["to"]: each["at"] for each in ada.outbox()} == {
        "eve@example.com": "2026-03-02T12:00:00Z",
        "bob@example.com": "2026-03-02T13:00:00Z",
        "ada@example.com": "2026-03-02T23:00:00Z",
    }


def test_quiet_hours_over_the_night_without_a_second_oclock(ada: Shop) -> None:
    identify_in(ada, "bob", "America/New_York")
    policy(ada, quiet_hours={"from": "21:00", "to": "02:30"})
    ada.to("2026-03-08T06:00:00Z")  # 01:00, an hour before the gap
    ping(ada, "bob")
    ada.advance("1d")
    assert arrivals(ada) == ["2026-03-08T07:30:00Z"]


def test_what_expires_in_the_quiet_is_skipped(ada: Shop) -> None:
    policy(ada, quiet_hours={"from": "21:00", "to": "08:00"})
    ada.to("2026-03-02T13:00:00Z")
    said = {"profile": "user:ada", "channel": "email", "template": "hello"}
    ada.ask("POST", "/api/v1/messages", {**said, "expires": "9h"}, expect=202)
    ada.ask("POST", "/api/v1/messages", {**said, "expires": "10h"}, expect=202)
    ada.advance("1d")
    assert messages(ada) == [("sent", None), ("skipped", "quiet_hours_expired")]


def test_quiet_hours_that_came_after_the_grant_put_it_off(ada: Shop) -> None:
    """It was granted for the morning; then the morning becomes quiet: the claim hands it back."""
    policy(ada, quiet_hours={"from": "21:00", "to": "08:00"})
    ada.to("2026-03-02T13:00:00Z")
    ping(ada)
    policy(ada, quiet_hours={"from": "21:00", "to": "10:00"})
    ada.advance("1d")
    assert arrivals(ada) == ["2026-03-03T01:00:00Z"]
    timeline = [each["event"] for each in ada.timeline("ada") if each["event"].startswith("message_")]
    assert timeline == ["message_sent", "message_deferred", "message_planned"]


def test_receipts_are_neither_capped_nor_quiet_nor_counted(ada: Shop) -> None:
    policy(ada, quiet_hours={"from": "21:00", "to": "08:00"}, holdout=100, daily_ceiling=1)
    ada.to("2026-03-02T13:00:00Z")
    said = {"profile": "user:ada", "channel": "email", "template": "hello", "transactional": True}
    for _ in range(3):
        ada.ask("POST", "/api/v1/messages", said, expect=202)
    ada.advance("0s")
    assert len(ada.outbox()) == 3
    ada.to("2026-03-03T00:00:00Z")
    ping(ada)
    assert messages(ada)[-1] == ("skipped", "holdout")


def test_the_daily_ceiling_holds_over_all_that_is_said(ada: Shop) -> None:
    policy(ada, daily_ceiling=2)
    for _ in range(3):
        ping(ada)
    ada.to("2026-03-02T15:00:00Z")
    ping(ada)
    assert arrivals(ada) == [*["2026-03-02T00:00:00Z"] * 2, "2026-03-02T15:00:00Z"]


def test_a_topic_may_ask_for_an_opt_in(ada: Shop) -> None:
    ada.ask("PUT", "/api/v1/topics/news", {"title": "News", "default": "opt_in"})
    ping(ada)
    consent = {"channel": "email", "topic": "news", "state": "opted_in", "source": "test", "proof": "form"}
    ada.ask("PUT", "/api/v1/profiles/user:ada/consent", consent)
    ping(ada)
    assert messages(ada) == [("sent", None), ("skipped", "no_consent")]
    assert ada.get("/api/v1/topics")["items"][0]["title"] == "News"
    wrong = ada.ask("PUT", "/api/v1/topics/news", {"default": "maybe"}, expect=400)
    assert [each["pointer"] for each in wrong["errors"]] == ["/default"]


def test_what_cannot_be_a_policy_is_refused_with_its_places(ada: Shop) -> None:
    body = {"caps": [{"channel": "email", "max": 0, "per": "soon"}], "quiet_hours": {"from": "21:00", "to": "9"}}
    refused = ada.ask("PUT", "/api/v1/policy", body, expect=400)
    assert refused["code"] == "invalid_policy"
    assert {each["pointer"] for each in refused["errors"]} == {"/caps/0/max", "/caps/0/per", "/quiet_hours/to"}


def test_a_channel_is_stopped_and_goes_on(ada: Shop) -> None:
    ada.ask("POST", "/api/v1/sending/email/pause")
    ping(ada)
    receipt = {"profile": "user:ada", "channel": "email", "template": "hello", "transactional": True}
    ada.ask("POST", "/api/v1/messages", receipt, expect=202)
    ada.advance("1h")
    assert [each.get("journey") for each in ada.outbox()] == [None]
    states = {each["channel"]: each["state"] for each in ada.get("/api/v1/sending")["items"]}
    assert states.pop("email") == "paused"
    assert set(states.values()) == {"running"}
    ada.ask("POST", "/api/v1/sending/email/resume")
    ada.advance("0s")
    assert len(ada.outbox()) == 2


def test_what_waited_in_a_paused_journey_is_said_when_it_is_published_again(ada: Shop) -> None:
    policy(ada, quiet_hours={"from": "21:00", "to": "08:00"})
    ada.to("2026-03-02T13:00:00Z")  # 22:00 in Tokyo
    ping(ada)
    ada.ask("POST", "/api/v1/journeys/echo/pause")
    ada.to("2026-03-03T03:00:00Z")
    assert ada.outbox() == []
    ada.ask("POST", "/api/v1/journeys/echo/publish")
    ada.advance("0s")
    assert arrivals(ada) == ["2026-03-03T03:00:00Z"]

"""A record as of any day equals the record there was on that day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kizuna.testing.shop import Shop, identify, ref, track

MAIL = {"channel": "email", "source": "api"}
PEOPLE = ("ada", "grace", "~a1", "~a2", "late")


def live_through_some_days(shop: Shop) -> dict[str, dict[str, Any]]:
    """The profiles of each day as they were read on it, by instant and name."""
    shop.template("hello")
    shop.segment("buyers", {"did": "Bought", "within": "3d"})
    shop.segment("named", {"trait": "name", "exists": True})
    thanks = {
        "entry": {"on": {"event": "Bought"}, "again": {"after": "2d"}},
        "steps": [
            {"id": "wait", "delay": "36h"},
            {"id": "say", "send": {"channel": "email", "template": "hello"}},
            {"id": "rest", "delay": "2d"},
        ],
    }
    shop.journey("thanks", thanks)
    days = [
        [track("ada", "Bought", total=1), track("~a1", "Visited"), identify("ada", plan="free", name="Ada")],
        [track("~a1", "Bought", total=2), track("grace", "Visited")],
        [identify("grace~a1", name="Grace", email="g@example.com"), identify("ada", plan="paid")],
        [
            track("~a1", "Bought", total=3),
            track("late", "Bought", at="2026-03-03T11:00:00Z"),
            track("ada", "Bought", at="2026-03-02T12:00:00Z"),
        ],
        [identify("late~a2", email="late@example.com"), identify("ada", plan=None, at="2026-03-04T00:00:00Z")],
        [track("ada", "Bought"), identify("grace", context={"timezone": "Asia/Tokyo"})],
        [],
        [],
    ]
    seen: dict[str, dict[str, Any]] = {}
    for number, events in enumerate(days):
        if events:
            shop.send(*events)
        if number == 4:
            shop.ask("PUT", f"/api/v1/profiles/{ref('ada')}/consent", {**MAIL, "state": "opted_out"})
        if number == 5:  # a new version, and a segment whose history is filled in
            shop.segment("twice", {"did": "Bought", "count": {"gte": 2}})
            shop.journey("thanks", {**thanks, "steps": thanks["steps"][:2]})
        now = shop.advance("0s")
        seen[now] = {who: read(shop, who) for who in PEOPLE}
        shop.advance("1d")
    return seen


def read(shop: Shop, who: str, **asked: str) -> Any:
    """The profile, or the code of the refusal."""
    answer = shop.call("GET", f"/api/v1/profiles/{ref(who)}?" + "&".join(f"{k}={v}" for k, v in asked.items()))
    return answer.body if answer.status == 200 else answer.body["code"]


def test_a_record_as_of_any_day_is_the_record_of_that_day(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    seen = live_through_some_days(shop)
    assert len({str(day) for day in seen.values()}) == len(seen)  # every day something was different
    assert any(day["ada"]["journeys"] for day in seen.values())
    assert any(day["grace"] != "not_found" and "buyers" in day["grace"]["segments"] for day in seen.values())
    assert seen[list(seen)[1]]["~a1"]["id"] != seen[list(seen)[3]]["~a1"]["id"]  # she was somebody of her own
    for now, day in seen.items():
        assert {who: read(shop, who, as_of=now) for who in PEOPLE} == day, now


def test_between_two_events_timers_have_fired(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.segment("buyers", {"did": "Bought", "within": "3d"})
    shop.track("ada", "Bought")
    shop.advance("10d")
    for at, member in (("2026-03-02T10:00:00Z", True), ("2026-03-05T09:59:59Z", True), ("2026-03-05T10:00:00Z", False)):
        assert ("buyers" in read(shop, "ada", as_of=at)["segments"]) is member


@pytest.mark.parametrize(
    ("as_of", "code"),
    [("2026-03-02T09:59:59Z", "not_found"), ("2026-03-02T10:00:01Z", "in_the_future"), ("soon", "invalid_time")],
)
def test_what_was_not_yet_is_said(open_shop: Callable[..., Shop], as_of: str, code: str) -> None:
    shop = open_shop()
    shop.track("ada", "Visited")
    shop.advance("0s")
    assert read(shop, "ada", as_of=as_of) == code
    assert read(shop, "nobody", as_of="2026-03-02T10:00:00Z") == "not_found"

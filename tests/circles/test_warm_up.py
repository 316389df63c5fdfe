"""A new domain grows by its plan: over HTTP, on a clock that moves when told, to a real mail server."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kizuna.testing.mail_server import MailServer
from kizuna.testing.shop import Shop, identify

PATIENCE = 30.0


def comes_true(look: Callable[[], bool]) -> None:
    last = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < last, "it never came true"


def test_a_launch_goes_out_day_by_day_as_the_plan_and_the_limits_say(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(start="2026-12-01T01:00:00Z", zone="Asia/Tokyo")
    people = [f"u{number}@{'docomo.ne.jp' if number < 3 else 'example.com'}" for number in range(9)]
    with MailServer() as server:
        shop.send(*(identify(address.partition("@")[0], email=address) for address in people))
        shop.template("hello", "Hello")
        shop.segment("all", {"trait": "email", "exists": True})
        limits = {
            "warm_up": {"start": "2026-12-01", "plan": [2, 5]},
            "domains": {"docomo.ne.jp": {"per_day": 1}},
        }
        mail = {"kind": "smtp", "channel": "email", "settings": server.settings, **limits}
        shown = shop.ask("PUT", "/api/v1/providers/mail", mail)
        assert (shown["warm_up"], shown["domains"]) == (limits["warm_up"], limits["domains"])
        said = {"channel": "email", "template": "hello", "expires": "10d"}
        shop.ask("PUT", "/api/v1/campaigns/hello", {"segment": "all", "send": said})
        shop.get("/api/v1/segments/all")
        shop.ask("POST", "/api/v1/campaigns/hello/launch", expect=202)

        def states() -> list[str]:
            return [each["state"] for each in shop.all("/api/v1/messages", campaign="hello")]

        def today() -> Any:
            return shop.get("/api/v1/providers/mail")["today"]

        def is_settled(sent: int) -> bool:
            shop.advance("0s")
            return len(found := states()) == 9 and found.count("sent") == sent == 9 - found.count("planned")

        shop.advance("1m")
        comes_true(lambda: is_settled(2))
        assert (today()["date"], today()["allowed"], today()["used"]) == ("2026-12-01", 2, 2)
        assert sum(shop.facts(who, "message_deferred") != [] for who in (f"u{n}" for n in range(9))) == 7
        shop.to("2026-12-01T14:59:00Z")
        assert len(server.taken) == 2
        shop.to("2026-12-01T15:01:00Z")
        comes_true(lambda: is_settled(2 + 5))
        assert (today()["date"], today()["allowed"], today()["used"]) == ("2026-12-02", 5, 5)
        assert today()["domains"] == {"docomo.ne.jp": {"allowed": 1, "used": 1}}
        shop.to("2026-12-05T15:01:00Z")
        comes_true(lambda: is_settled(9))
        assert sorted(taken.recipient for taken in server.taken) == sorted(people)


def test_what_cannot_be_kept_is_pointed_at(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    mail = {"kind": "smtp", "channel": "email", "settings": {"host": "mail.shop.example", "from": "news@shop.example"}}
    wrong = {"warm_up": {"start": "2026-12-01", "plan": [1, -1]}, "domains": {"Gmail.com": {"per_day": 1}}}
    refused = shop.ask("PUT", "/api/v1/providers/mail", {**mail, **wrong}, expect=422)
    assert refused["code"] == "invalid_settings"
    assert [each["pointer"] for each in refused["errors"]] == ["/warm_up/plan/1", "/domains/Gmail.com"]
    unread = shop.ask("PUT", "/api/v1/providers/mail", {**mail, "warm_up": {"start": "tomorrow"}}, expect=400)
    assert [each["pointer"] for each in unread["errors"]] == ["/warm_up/start"]
    local = {"kind": "outbox", "channel": "email", "domains": {"gmail.com": {"per_day": 1}}}
    refused = shop.ask("PUT", "/api/v1/providers/out", local, expect=422)
    assert [each["code"] for each in refused["errors"]] == ["unsupported"]

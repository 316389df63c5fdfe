"""A mail server that refuses us, and not an address: the addresses stay as they are, and the channel is paused."""

from __future__ import annotations

import time
from collections.abc import Callable

from kizuna.testing.mail_server import RCPT, Act, MailServer
from kizuna.testing.shop import Shop, identify

PEOPLE, PATIENCE = 12, 30.0


def test_refusals_that_blame_us_pause_the_channel_and_no_address(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(clock="live")
    with MailServer(lambda recipient, times: Act(RCPT, "550 5.7.1 blocked by our list")) as server:
        shop.send(*(identify(f"u{number}", email=f"u{number}@example.com") for number in range(PEOPLE)))
        shop.template("hello", "Hello")
        shop.segment("all", {"trait": "email", "exists": True})
        shop.ask("PUT", "/api/v1/providers/mail", {"kind": "smtp", "channel": "email", "settings": server.settings})
        shop.ask("PUT", "/api/v1/campaigns/sale", {"segment": "all", "send": {"channel": "email", "template": "hello"}})
        shop.get("/api/v1/segments/all")
        shop.ask("POST", "/api/v1/campaigns/sale/launch", expect=202)
        last = time.monotonic() + PATIENCE
        while not (paused := [each for each in shop.get("/api/v1/sending")["items"] if each["state"] == "paused"]):
            assert time.monotonic() < last, "it never came true"
        assert (paused[0]["channel"], paused[0]["paused"]["reason"]) == ("email", "refusals")
        assert {each["state"] for each in shop.all("/api/v1/messages", campaign="sale")} == {"rejected"}
        said = {"profile": "user:u1", "channel": "email", "template": "hello", "transactional": True}
        receipt = shop.ask("POST", "/api/v1/messages", said, expect=202)["id"]
        while (state := shop.get(f"/api/v1/messages/{receipt}")["state"]) in ("planned", "claimed", "handed"):
            assert time.monotonic() < last, "it never came true"
        assert state == "rejected"  # it was tried: neither paused nor suppressed
        (trouble,) = shop.get("/api/v1/messages/troubles")["items"]
        assert (trouble["state"], trouble["channel"], trouble["messages"]) == ("rejected", "email", PEOPLE + 1)
        sending = shop.get("/api/v1/sending")
        email = {each["channel"]: each for each in sending["items"]}["email"]
        assert (email["provider"], email["waiting"], sending["rests"]) == ("mail", 0, [])

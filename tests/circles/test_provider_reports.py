"""A mail goes out over a provider's API, and what the provider reports about it comes round to the customer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from kizuna.testing.receiver import Receiver, Told
from kizuna.testing.shop import Shop


@pytest.fixture
def api() -> Iterator[Receiver]:
    with Receiver(Told(200, body={"ErrorCode": 0, "MessageID": "1"})) as receiver:
        yield receiver


@pytest.fixture
def sent(shop: Shop, api: Receiver) -> list[str]:
    """Ada and Grace were written to; the ids of the messages."""
    settings = {"token": "t", "from": "news@shop.example", "endpoint": api.url}
    shop.ask("PUT", "/api/v1/providers/mail", {"kind": "postmark", "channel": "email", "settings": settings})
    shop.template()
    steps = [{"id": "mail", "send": {"channel": "email", "template": "hello", "topic": "news"}}]
    shop.journey("j", {"entry": {"on": {"event": "Go"}, "again": "always"}, "steps": steps})
    for who in ("ada", "grace"):
        shop.identify(who, email=f"{who}@example.com")
        shop.track(who, "Go")
    for _ in range(600):
        found = shop.all("/api/v1/messages", state="sent")
        if len(found) == 2:
            return [each["id"] for each in sorted(found, key=lambda each: each["address"])]
    raise AssertionError(shop.all("/api/v1/messages"))


def tell(shop: Shop, record: str, message: str, **more: Any) -> int:
    url = shop.ask("GET", "/api/v1/providers/mail")["reports_url"]
    answer = httpx.post(url, json={"RecordType": record, "Metadata": {"kizuna": message}, **more})
    assert answer.status_code == 200
    shop.position = answer.headers.get("kizuna-position", shop.position)
    return answer.json()["taken"]


def test_a_complaint_opts_out_and_a_hard_bounce_suppresses(shop: Shop, sent: list[str]) -> None:
    ada, grace = sent
    assert tell(shop, "Delivery", ada, DeliveredAt="2026-03-02T10:00:00Z") == 1
    assert tell(shop, "SpamComplaint", ada) == 1
    assert tell(shop, "SpamComplaint", ada) == 0
    assert tell(shop, "Bounce", grace, Type="HardBounce", Description="no such\x00 user") == 1
    states = {each["id"]: (each["state"], each["reason"]) for each in shop.all("/api/v1/messages")}
    assert states == {ada: ("complained", None), grace: ("bounced", "HardBounce: no such user")}
    for who in ("ada", "grace"):
        shop.track(who, "Go")
    skipped = shop.all("/api/v1/messages", state="skipped")
    assert {each["reason"] for each in skipped} == {"suppressed"}
    assert len(skipped) == 2
    (listed,) = shop.get("/api/v1/suppressions", search="GRACE")["items"]
    assert (listed["channel"], listed["address"], listed["reason"]) == ("email", "grace@example.com", "hard_bounce")
    assert shop.get("/api/v1/suppressions", channel="sms")["items"] == []
    assert shop.all("/api/v1/suppressions", limit=1) == [listed]


def test_a_report_about_what_it_did_not_carry_changes_nothing(shop: Shop, sent: list[str]) -> None:
    settings = {"token": "t", "from": "news@shop.example"}
    shop.ask("PUT", "/api/v1/providers/other", {"kind": "postmark", "channel": "email", "settings": settings})
    url = shop.ask("GET", "/api/v1/providers/other")["reports_url"]
    body = {"RecordType": "SpamComplaint", "Metadata": {"kizuna": sent[0]}}
    assert httpx.post(url, json=body).json() == {"taken": 0}
    for strange in (b"", b"{", b"[" * 100_000):
        assert httpx.post(url, content=strange).status_code == 400
    assert httpx.post(url, json={"Metadata": {"kizuna": "msg_1"}, "RecordType": "Delivery"}).json() == {"taken": 0}

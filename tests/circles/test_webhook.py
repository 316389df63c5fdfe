"""A journey tells a system of the shop's own over a signed hook, and hears back from it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from kizuna.providers import standard_webhooks
from kizuna.testing.receiver import Receiver, Told
from kizuna.testing.shop import Shop

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = {"name": "{{ profile.traits.name }}", "order": {"id": "{{ event.properties.order_id }}"}}


@pytest.fixture
def crm() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def hook(shop: Shop, url: str, name: str = "crm") -> Any:
    settings = {"url": url, "secret": SECRET}
    return shop.ask("PUT", f"/api/v1/providers/{name}", {"kind": "webhook", "settings": settings})


def journey(shop: Shop, *names: str) -> None:
    steps = [{"id": name, "webhook": {"provider": name, "body": BODY}} for name in names or ("crm",)]
    shop.journey("tell", {"entry": {"on": {"event": "Order Completed"}, "again": "always"}, "steps": steps})


def messages(shop: Shop) -> dict[str, Any]:
    return {each["provider"]: each for each in shop.all("/api/v1/messages")}


def until(shop: Shop, provider: str, state: str, attempts: int = 1) -> Any:
    """The message, once its sender has written down what came of it."""
    for _ in range(600):
        found = messages(shop).get(provider)
        if found and found["state"] == state and found["attempts"] >= attempts:
            return found
    raise AssertionError(f"{found} is not {state}")


def report(url: str, event: Any, secret: str = SECRET) -> httpx.Response:
    body = json.dumps(event).encode()
    return httpx.post(url, content=body, headers=standard_webhooks.headers(secret, "evt_1", int(time.time()), body))


def test_it_is_posted_once_signed_and_tried_again_under_the_same_id(shop: Shop, crm: Receiver) -> None:
    shown = hook(shop, f"{crm.url}/hook")
    assert (shown["channel"], shown["secrets"]) == ("webhook", ["secret"])
    assert SECRET not in str(shown)
    journey(shop)
    crm.answers.put(Told(503))
    shop.identify("ada", name='Ada "}]')  # no address, and no consent is needed
    shop.track("ada", "Order Completed", order_id="A-1")
    assert crm.arrived.acquire(timeout=30)
    waiting = until(shop, "crm", "planned")
    assert waiting["trouble"].startswith("503")
    shop.advance("1h")
    assert crm.arrived.acquire(timeout=30)
    sent = until(shop, "crm", "sent", 2)
    first, second = crm.asked
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == sent["id"]
    assert first.body == second.body
    assert json.loads(second.body) == {"name": 'Ada "}]', "order": {"id": "A-1"}}
    assert standard_webhooks.verify(SECRET, second.headers, second.body, time.time())  # by the wall clock
    assert shop.outbox() == []


def test_what_the_system_reports_is_believed_when_it_is_signed(shop: Shop, crm: Receiver) -> None:
    hook(shop, crm.url)
    journey(shop)
    shop.track("ada", "Order Completed", order_id="A-1")
    sent = until(shop, "crm", "sent")
    url = shop.get("/api/v1/providers/crm")["reports_url"]
    said = {"type": "message.delivered", "timestamp": "2026-03-02T10:00:00Z", "data": {"message": sent["id"]}}
    for forged in (url[:-1] + ("A" if url[-1] != "A" else "B"), url.replace("/crm/", "/other/")):
        assert report(forged, said).status_code == 401
    assert report(url, said, "whsec_b3RoZXI=").status_code == 401
    assert httpx.post(url, json=said).status_code == 401
    assert report(url, {"type": "invoice.paid", "data": {}}).json() == {"taken": 0}
    answer = report(url, said)
    assert (answer.status_code, answer.json()) == (200, {"taken": 1})
    shop.position = answer.headers["kizuna-position"]
    assert messages(shop)["crm"]["state"] == "delivered"
    assert report(url, said).json() == {"taken": 0}  # told again
    other = {**said, "data": {"message": "msg_00000000000000000000000000"}}
    assert report(url, other).json() == {"taken": 0}
    assert urlsplit(url).path.startswith("/reports/crm/")


def test_a_dead_hook_holds_up_no_other(shop: Shop, crm: Receiver) -> None:
    with Receiver(Told(500)) as dead:
        hook(shop, dead.url, "dead")
        hook(shop, crm.url, "crm")
        journey(shop, "dead", "crm", "nobody")
        for number in range(3):
            shop.track(f"user{number}", "Order Completed", order_id=number)
        assert all(crm.arrived.acquire(timeout=30) for _ in range(3))
        assert dead.arrived.acquire(timeout=30)
        shown = shop.all("/api/v1/messages")
    skipped = [(each["provider"], each["reason"]) for each in shown if each["state"] == "skipped"]
    assert skipped == [("nobody", "no_provider")] * 3
    assert {each["state"] for each in shown if each["provider"] == "dead"} == {"planned"} or "handed" in str(shown)

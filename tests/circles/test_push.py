"""Push the whole way: a browser's subscription comes in, a journey speaks to it, what it answers comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from kizuna.providers.signed import decode
from kizuna.testing.push_service import Browser, Posted, Said
from kizuna.testing.shop import Shop, identify, track

SUBJECT = "mailto:ops@shop.example"
TEMPLATE = {
    "channel": "push",
    "subject": "{{ profile.traits.name }}, your cart waits",
    "body": "{{ event.properties.sku }} & more",
    "format": "liquid+text",
    "push": {"url": "https://shop.example/cart?sku={{ event.properties.sku }}", "icon": "https://shop.example/i.png"},
}
JOURNEY = {
    "entry": {"on": {"event": "Cart Abandoned"}, "again": "always"},
    "steps": [{"id": "push", "send": {"channel": "push", "template": "cart"}}],
}


@pytest.fixture
def service() -> Iterator[Posted]:
    with Posted() as posted:
        yield posted


def device(browser: Browser) -> dict[str, Any]:
    return {"context": {"device": {"type": "web", "token": browser.subscription}}}


def open_push(shop: Shop) -> str:
    shop.ask("PUT", "/api/v1/templates/cart", TEMPLATE)
    provider = {"kind": "webpush", "channel": "push", "settings": {"subject": SUBJECT}}
    shop.ask("PUT", "/api/v1/providers/browsers", provider)
    shop.journey("cart", JOURNEY)
    return shop.get("/api/v1/providers/browsers")["applicationServerKey"]


def abandon(shop: Shop) -> None:
    shop.send(track("ada", "Cart Abandoned", sku="A1"))


def heard(shop: Shop, event: str) -> Any:
    """The first of its name on the timeline, once the sender has reported it."""
    last = time.monotonic() + 30
    while time.monotonic() < last:
        for each in shop.timeline("ada")[::-1]:
            if each["event"] == event:
                return each
    raise AssertionError(f"no {event}")


def test_a_push_arrives_is_answered_and_a_dead_browser_is_forgotten(shop: Shop, service: Posted) -> None:
    key = open_push(shop)
    assert len(decode(key)) == 65
    browser = Browser(f"{service.url}/wpush/1")
    shop.send({**identify("ada", name="Ada"), **device(browser)})
    (shown,) = shop.profile("ada")["devices"]
    assert (shown["type"], shown["token"]) == ("web", browser.subscription)

    abandon(shop)
    assert service.arrived.acquire(timeout=30)
    (taken,) = service.taken
    assert f"k={key}" in taken.headers["authorization"]
    said = browser.read(taken.body)
    assert (said["title"], said["body"]) == ("Ada, your cart waits", "A1 & more")
    assert said["icon"] == "https://shop.example/i.png"
    answer = shop.http.get(urlsplit(said["url"]).path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.example/cart?sku=A1")
    answer = shop.http.post(urlsplit(said["dismissed_url"]).path)
    assert answer.status_code == 204
    shop.position = answer.headers["kizuna-position"]
    assert heard(shop, "message_sent")["properties"]["address"] == shown["id"]
    assert heard(shop, "message_clicked")["properties"]["message"] == said["message"]
    assert heard(shop, "message_dismissed")["properties"]["channel"] == "push"

    service.answer = lambda _: Said(410)
    abandon(shop)
    assert service.arrived.acquire(timeout=30)
    gone = heard(shop, "device_removed")
    assert shop.profile("ada")["devices"] == []
    assert (gone["properties"]["device"], gone["properties"]["reason"]) == (shown["id"], "unregistered")
    assert heard(shop, "message_rejected")["properties"]["reason"].startswith("unregistered")

    abandon(shop)
    (skipped,) = shop.facts("ada", "message_skipped")
    assert skipped["properties"]["reason"] == "no_address"
    assert len(service.taken) == 2


def test_one_browser_that_takes_it_is_enough(shop: Shop, service: Posted) -> None:
    open_push(shop)
    dead, alive = Browser(f"{service.url}/dead"), Browser(f"{service.url}/alive")
    service.answer = lambda taken: Said(410 if taken.path == "/dead" else 201)
    for browser in (alive, dead):
        shop.send({**identify("ada"), **device(browser)})
    abandon(shop)
    said = heard(shop, "message_sent")["properties"]["address"].split(", ")
    assert len(said) == 2
    assert heard(shop, "device_removed")["properties"]["device"] == said[0]
    (left,) = shop.profile("ada")["devices"]
    assert (left["id"], left["token"]) == (said[1], alive.subscription)


def test_who_signs_in_on_a_device_takes_it_over(shop: Shop) -> None:
    browser = Browser("https://push.example/1")
    for user in ("ada", "grace"):
        shop.send({**identify(user), **device(browser)})
    assert shop.profile("ada")["devices"] == []
    assert len(shop.profile("grace")["devices"]) == 1
    (fact,) = shop.facts("ada", "device_removed")
    assert fact["properties"]["reason"] == "moved"
    assert {each["id"] for each in shop.all("/api/v1/profiles")} == {
        shop.profile(user)["id"] for user in ("ada", "grace")
    }


def test_the_key_stays_when_the_provider_is_set_again(shop: Shop) -> None:
    key = open_push(shop)
    again = {"kind": "webpush", "channel": "push", "settings": {"subject": "mailto:x@y.z"}}
    shown = shop.ask("PUT", "/api/v1/providers/browsers", again)
    assert shown["applicationServerKey"] == key
    assert shown["secrets"] == ["private_key"]
    assert "private_key" not in shown["settings"]


def test_without_a_provider_the_outbox_takes_it(shop: Shop) -> None:
    shop.ask("PUT", "/api/v1/templates/cart", TEMPLATE)
    shop.journey("cart", JOURNEY)
    shop.send({**identify("ada", name="Ada"), **device(Browser("https://push.example/1"))})
    abandon(shop)
    (item,) = shop.outbox()
    assert (item["channel"], item["subject"]) == ("push", "Ada, your cart waits")
    assert item["to"] == shop.profile("ada")["devices"][0]["id"]

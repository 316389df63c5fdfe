"""Messages in the shop's own pages, the whole way: planned, laid ready, taken by a browser, acted upon, told."""

from __future__ import annotations

import hmac
from typing import Any

import pytest

from kizuna.testing.shop import Shop, identify, track

SECRET = "a secret of the shop's server, long enough"
TEMPLATE = {
    "channel": "in_app",
    "subject": "Hello {{ profile.traits.name }}",
    "body": "<p>For {{ profile.traits.name }}<script>steal()</script></p>",
    "format": "liquid+html",
    "image": "https://shop.example/spring.png",
    "url": "/spring",
    "buttons": [{"label": "See", "url": "/sale?for={{ profile.traits.name }}"}, {"label": "Later", "event": "Later"}],
    "display": {"trigger": {"event": "Viewed"}, "layout": "slide_up", "once": True},
}
BUYERS = {"did": "Bought"}


class Browser:
    """The SDK's half of the wire."""

    def __init__(self, shop: Shop, anonymous: str, user: str = "", token: str = "") -> None:
        self.shop, self.known = shop, list[str]()
        names = {"anonymousId": anonymous, "userId": user, "userToken": token}
        self.said = {"writeKey": shop.made["write_key"], **{name: value for name, value in names.items() if value}}

    def ask(self, path: str, **more: Any) -> Any:
        if self.shop.position:
            self.shop.get("/api/v1/clock")  # all that was written is settled
        return self.shop.call("POST", path, {**self.said, **more})

    def pull(self) -> list[Any]:
        """What is new here."""
        answer = self.ask("/in-page/pull", known=self.known)
        assert answer.status == 200, answer.body
        self.answer = answer.body
        self.known = [each for each in self.known if each not in answer.body["gone"]]
        self.known += [item["id"] for item in answer.body["items"]]
        return answer.body["items"]

    def act(self, item: Any, act: str, **more: Any) -> int:
        answer = self.ask("/in-page/acts", acts=[{"token": item["token"], "act": act, **more}])
        assert answer.status == 202, answer.body
        return answer.body["accepted"]


def token_of(user: str) -> str:
    return hmac.digest(SECRET.encode(), user.encode(), "sha256").hex()


def signed_in(shop: Shop, user: str, anonymous: str = "") -> Browser:
    return Browser(shop, anonymous or f"browser of {user}", user, token_of(user))


@pytest.fixture
def site(shop: Shop) -> Shop:
    """A shop with pages: the provider, a template of each channel, buyers."""
    shop.ask("PUT", "/api/v1/providers/site", {"kind": "in_page", "settings": {"secret": SECRET}})
    shop.ask("PUT", "/api/v1/templates/offer", TEMPLATE)
    for channel, display in (("card", {"pinned": True}), ("banner", {"place": "top"}), ("inbox", {})):
        shop.ask(
            "PUT",
            f"/api/v1/templates/{channel}",
            {"channel": channel, "subject": channel, "body": "Hi", "display": display},
        )
    shop.segment("buyers", BUYERS)
    return shop


def say(shop: Shop, who: str, template: str, channel: str = "", **more: Any) -> None:
    body = {"profile": f"user:{who}", "channel": channel or template, "template": template, **more}
    shop.ask("POST", "/api/v1/messages", body, expect=202)


def launch(shop: Shop, **more: Any) -> None:
    send = {"channel": "in_app", "template": "offer"}
    shop.ask("PUT", "/api/v1/campaigns/spring", {"segment": "buyers", "send": send, **more})
    shop.ask("POST", "/api/v1/campaigns/spring/launch", expect=202)


def test_a_campaign_is_shown_and_what_is_done_with_it_comes_back(site: Shop) -> None:
    site.send(identify("ada", name="Ada"), track("ada", "Bought"))
    launch(site)
    browser = signed_in(site, "ada")
    (item,) = browser.pull()
    assert (item["kind"], item["title"], item["html"]) == ("in_app", "Hello Ada", "<p>For Ada</p>")
    assert item["image"] == "https://shop.example/spring.png"
    assert item["buttons"] == [
        {"id": "b1", "label": "See", "url": "/sale?for=Ada", "event": None},
        {"id": "b2", "label": "Later", "url": None, "event": "Later"},
    ]
    assert item["display"] == {
        "trigger": {"event": "Viewed"}, "delay_s": 0, "layout": "slide_up", "position": "bottom", "close": True,
        "priority": 0, "once": True,
    }  # fmt: skip
    assert browser.pull() == []
    for _ in range(2):
        assert browser.act(item, "impression") == 1
        assert browser.act(item, "click", button="b1") == 1
    told = [each["event"] for each in site.timeline("ada")[::-1] if each["event"].startswith("message_")]
    assert told == ["message_planned", "message_sent", "message_delivered", "message_opened", "message_clicked"]
    (clicked,) = site.facts("ada", "message_clicked")
    assert (
        clicked["properties"] | {"button": "b1", "url": "/sale?for=Ada", "campaign": "spring"} == clicked["properties"]
    )
    shown = site.get("/api/v1/campaigns/spring")
    assert [shown[state] for state in ("sent", "delivered", "opened", "clicked")] == [1, 1, 1, 1]
    assert browser.pull() == []
    assert browser.answer["gone"] == [item["id"]]
    assert site.outbox() == []

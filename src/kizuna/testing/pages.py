"""A shop's pages and the browsers in them, as the browser SDK speaks: for tests of what lies ready there."""

from __future__ import annotations

import hmac
from typing import Any

from kizuna.testing.shop import Answer, Shop, ref

SECRET = "a secret of the shop's server, long enough"  # noqa: S105  # of tests
PROVIDER = {"kind": "in_page", "settings": {"secret": SECRET}}
OFFER = {
    "channel": "in_app",
    "subject": "Hello {{ profile.traits.name }}",
    "body": "<p>For {{ profile.traits.name }}<script>steal()</script></p>",
    "format": "liquid+html",
    "image": "https://shop.example/spring.png",
    "url": "/spring",
    "buttons": [{"label": "See", "url": "/sale?for={{ profile.traits.name }}"}, {"label": "Later", "event": "Later"}],
    "display": {"trigger": {"event": "Viewed"}, "layout": "slide_up", "once": True},
}


class Browser:
    """One browser: what it says of itself, and what it holds."""

    def __init__(self, shop: Shop, anonymous: str, user: str = "", token: str = "") -> None:
        self.shop = shop
        self.known: list[str] = []
        self.answer: dict[str, Any] = {}  # to the latest pull
        names = {"anonymousId": anonymous, "userId": user, "userToken": token}
        self.said = {"writeKey": shop.made["write_key"], **{name: value for name, value in names.items() if value}}

    def ask(self, path: str, **more: Any) -> Answer:
        """As of all that was written here."""
        self.shop.get("/api/v1/clock")
        return self.shop.call("POST", path, {**self.said, **more})

    def pull(self) -> list[Any]:
        """What is new here."""
        answer = self.ask("/in-page/pull", known=self.known)
        assert answer.status == 200, answer.body  # noqa: S101
        self.answer = answer.body
        self.known = [each for each in self.known if each not in self.answer["gone"]]
        self.known += [item["id"] for item in self.answer["items"]]
        return self.answer["items"]

    def act(self, item: Any, act: str, **more: Any) -> int:
        """How many acts were taken."""
        answer = self.ask("/in-page/acts", acts=[{"token": item["token"], "act": act, **more}])
        assert answer.status == 202, answer.body  # noqa: S101
        return answer.body["accepted"]


def token_of(user: str) -> str:
    return hmac.digest(SECRET.encode(), user.encode(), "sha256").hex()


def signed_in(shop: Shop, user: str, anonymous: str = "") -> Browser:
    return Browser(shop, anonymous or f"browser of {user}", user, token_of(user))


def open_pages(shop: Shop) -> None:
    """The provider, a template of each channel (`offer` of `in_app`, the others by their own names), who bought."""
    shop.ask("PUT", "/api/v1/providers/site", PROVIDER)
    shop.ask("PUT", "/api/v1/templates/offer", OFFER)
    for channel, display in (("card", {"pinned": True}), ("banner", {"place": "top"}), ("inbox", {})):
        template = {"channel": channel, "subject": channel, "body": "Hi <b>you</b>", "display": display}
        shop.ask("PUT", f"/api/v1/templates/{channel}", template)
    shop.segment("buyers", {"did": "Bought"})


def say(shop: Shop, who: str, template: str, channel: str = "", **more: Any) -> None:
    """`ada` is a user, `~a1` a visitor."""
    shop.profile(who)  # settled: there is somebody to speak to
    body = {"profile": ref(who), "channel": channel or template, "template": template, **more}
    shop.ask("POST", "/api/v1/messages", body, expect=202)


def titles(items: list[Any]) -> list[str]:
    return sorted(item["title"] for item in items)

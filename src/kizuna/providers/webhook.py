"""A web hook: what is said is POSTed as JSON to a system of your own, signed by Standard Webhooks.

https://www.standardwebhooks.com: the id stays the same for every attempt, so that a receiver can see a repetition.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from msgspec import Struct

from kizuna.core.errors import Invalid
from kizuna.providers import Delivery, Outcome, Rejected, Unavailable, standard_webhooks
from kizuna.providers.http import Answer, Call, Fetch, HttpProvider
from kizuna.providers.report import Incoming, Report, in_our_words


class Settings(Struct, frozen=True):
    """Where to, and the secret that both sides know: `whsec_` and a key in base 64."""

    url: str
    secret: str

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://")):
            raise ValueError("`url` begins with https:// or http://")
        try:
            standard_webhooks.key_of(self.secret)
        except ValueError:
            raise ValueError("`secret` is whsec_ and a key in base 64") from None


class WebhookProvider(HttpProvider):
    name: ClassVar[str] = "webhook"
    channel: ClassVar[str | None] = "webhook"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"secret"})

    def call(self, delivery: Delivery, settings: Settings, now: float) -> Call:
        body = delivery.text.encode()
        signed = standard_webhooks.headers(settings.secret, delivery.message, int(now), body)
        return Call(settings.url, body, {"Content-Type": "application/json", **signed})

    def refusal(self, answer: Answer) -> Outcome:
        """Only a receiver that read the body can refuse it; all else may be mended on their side."""
        return Rejected(answer.said) if answer.status in (400, 410, 413, 422) else Unavailable(answer.said)

    def is_genuine(self, said: Incoming, settings: Settings, fetch: Fetch) -> bool:
        return standard_webhooks.verify(settings.secret, said.headers, said.body, said.now)

    def reports(self, said: Incoming, settings: Settings, fetch: Fetch) -> Iterable[Report]:
        event = said.json()
        if not isinstance(event, dict):
            raise Invalid("a report is an object with `type` and `data`", code="invalid_report")
        report = in_our_words(event)
        return (report,) if report else ()


provider = WebhookProvider()

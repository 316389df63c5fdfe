"""Slack: a web hook's body goes to one of a team's channels. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks

It reaches members of the team, not customers, so it is carried as web hooks are: no consent, no address.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from kizuna.providers import Delivery, Outcome, Rejected, Unavailable
from kizuna.providers.http import Answer, Call, HttpProvider

ARCHIVED = 410


class Settings(Struct, frozen=True):
    """The address that Slack gives for a channel: who knows it may write there."""

    url: str

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://")):
            raise ValueError("`url` begins with https:// or http://")


class SlackProvider(HttpProvider):
    name: ClassVar[str] = "slack"
    channel: ClassVar[str | None] = "webhook"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"url"})
    has_reports: ClassVar[bool] = False

    def call(self, delivery: Delivery, settings: Settings, now: float) -> Call:
        return Call(settings.url, delivery.text.encode(), {"Content-Type": "application/json"})

    def refusal(self, answer: Answer) -> Outcome:
        return Unavailable(answer.said) if answer.status == ARCHIVED else Rejected(answer.said)


provider = SlackProvider()

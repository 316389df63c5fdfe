"""LINE Messaging API: https://developers.line.biz/en/reference/messaging-api/

A friend is somebody who wants to hear from the account: `follow` opts in, `unfollow` (a block) opts out.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from kizuna.core.errors import Invalid
from kizuna.providers import Accepted, Delivery, Outcome, Rejected
from kizuna.providers.http import Answer, Call, Fetch, HttpProvider, wait_of
from kizuna.providers.json_body import json_body
from kizuna.providers.report import Act, Incoming, number, part, text

MOST_MESSAGES, MOST_UNITS = 5, 5_000  # of one push; UTF-16 code units of one text
MONTHLY = "monthly limit"  # its 429 ends with the month, or with another plan
MONTHLY_WAIT = 3_600  # seconds
STATES = {"follow": "opted_in", "unfollow": "opted_out", "message": "replied"}


class Settings(Struct, frozen=True):
    """The channel access token, and the channel secret that signs web hooks."""

    token: str
    channel_secret: str = ""
    endpoint: str = "https://api.line.me"


class LineProvider(HttpProvider):
    name: ClassVar[str] = "line"
    channel: ClassVar[str | None] = "line"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"token", "channel_secret"})

    def call(self, delivery: Delivery, settings: Settings, now: float) -> Call:
        """Every attempt at a message has the same retry key: LINE takes it once within 24 hours."""
        push = {"to": delivery.address, "messages": messages_of(delivery.text)}
        return Call(
            f"{settings.endpoint}/v2/bot/message/push",
            msgspec.json.encode(push),
            {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {settings.token}",
                "X-Line-Retry-Key": delivery.uuid,
            },
        )

    def reference(self, answer: Answer) -> str:
        sent = part(answer.json(), "sentMessages")
        return text(sent[0], "id") if isinstance(sent, list) and sent else ""

    def refusal(self, answer: Answer) -> Outcome:
        """409: an earlier attempt was taken over. An unknown `to` may as well mean another account's token as a wrong
        address, so it suppresses nobody."""
        return Accepted(self.reference(answer)) if answer.status == 409 else Rejected(answer.said)

    def wait(self, answer: Answer) -> int | None:
        return MONTHLY_WAIT if MONTHLY in text(answer.json(), "message") else wait_of(answer)

    def is_genuine(self, said: Incoming, settings: Settings, fetch: Fetch) -> bool:
        if not settings.channel_secret:
            return False
        ours = b64encode(hmac.digest(settings.channel_secret.encode(), said.body, "sha256"))
        return hmac.compare_digest(ours, said.headers.get("x-line-signature", "").encode())

    def reports(self, said: Incoming, settings: Settings, fetch: Fetch) -> Iterable[Act]:
        events = part(said.json(), "events")
        for event in events if isinstance(events, list) else ():
            state, who = STATES.get(text(event, "type")), text(event, "source", "userId")
            if state is None or not who or text(event, "source", "type") != "user":
                continue  # what is said in a group is said to the group
            yield Act(
                address=who,
                state=state,
                id=text(event, "webhookEventId"),
                at=number(event, "timestamp") / 1000,
                form=text(event, "message", "type"),
                text=text(event, "message", "text"),
            )


def messages_of(said: str) -> list[Any]:
    """The rendered body as LINE takes it: its own JSON (flex, image, template, ...) as it is, all else as text."""
    found = json_body(said)
    if found is None:
        messages: list[Any] = [{"type": "text", "text": each} for each in pieces(said.strip())]
    else:
        messages = found if isinstance(found, list) else [found]
        if not all(text(each, "type") for each in messages):
            raise Invalid("each LINE message is an object with a `type`")
    if not 0 < len(messages) <= MOST_MESSAGES:
        raise Invalid(f"one push carries 1 to {MOST_MESSAGES} messages, not {len(messages)}")
    return messages


def pieces(said: str) -> Iterable[str]:
    """A long text in parts that LINE takes, cut where a line or a word ends, if one does in the last half."""
    while said:
        end = _longest(said)
        if end < len(said):
            cut = max(said.rfind("\n", end // 2, end), said.rfind("。", end // 2, end))
            cut = cut if cut > 0 else said.rfind(" ", end // 2, end)
            end = cut + 1 if cut > 0 else end
        if piece := said[:end].strip():
            yield piece
        said = said[end:].lstrip()


def _longest(said: str) -> int:
    """How many characters at the beginning are at most `MOST_UNITS` in UTF-16."""
    units = 0
    for index, letter in enumerate(said):
        units += 2 if letter > "\uffff" else 1
        if units > MOST_UNITS:
            return index
    return len(said)


provider = LineProvider()

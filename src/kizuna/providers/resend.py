"""Resend. https://resend.com/docs/api-reference/emails/send-email and .../dashboard/webhooks/introduction"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import msgspec
from msgspec import Struct

from kizuna.core.clock import SECOND, read_time
from kizuna.providers import Accepted, Delivery, Outcome, Rejected, Unavailable, standard_webhooks
from kizuna.providers.header import sender_text, split_mailbox, wire_address
from kizuna.providers.http import Answer, Call, Fetch, HttpProvider
from kizuna.providers.mime import message_id
from kizuna.providers.report import Incoming, Report, bounced, part, refused, text

EVENTS = {
    "email.delivered": "delivered",
    "email.complained": "complained",
    "email.opened": "opened",
    "email.clicked": "clicked",
}
BOUNCES = ("email.bounced", "email.suppressed")
FOR_GOOD = ("Permanent", "OnAccountSuppressionList")
OF_MAIL = ("ContentRejected", "AttachmentRejected", "MessageTooLarge")
BUSY = ("concurrent_idempotent_requests", "resource_locked")


class Settings(Struct, frozen=True, rename={"sender": "from"}):
    """An API key; `signing_secret` is that of the webhook (`whsec_...`). Without it reports are refused."""

    key: str
    sender: str
    signing_secret: str = ""
    endpoint: str = "https://api.resend.com"


class ResendProvider(HttpProvider):
    name: ClassVar[str] = "resend"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"key", "signing_secret"})

    def call(self, delivery: Delivery, settings: Settings, now: float) -> Call:
        mail = {
            "from": sender_text(settings.sender),
            "to": [wire_address(delivery.address)],
            "subject": delivery.subject or "",
            "text": delivery.text,
            **({} if delivery.html is None else {"html": delivery.html}),
            "headers": {
                "Message-ID": message_id(delivery.message, split_mailbox(settings.sender)[1]),
                **delivery.headers,
            },
            "tags": [{"name": "kizuna", "value": delivery.message}],
        }
        given = {
            "Authorization": f"Bearer {settings.key}",
            "Content-Type": "application/json",
            "Idempotency-Key": delivery.message,
        }
        return Call(f"{settings.endpoint}/emails", msgspec.json.encode(mail), given)

    def reference(self, answer: Answer) -> str:
        return text(answer.json(), "id")

    def refusal(self, answer: Answer) -> Outcome:
        said = answer.json()
        name, message = text(said, "name"), text(said, "message")
        if name in BUSY or "API key" in message or "`from`" in message:
            return Unavailable(answer.said)
        if name == "invalid_idempotent_request":  # an earlier attempt arrived, worded otherwise
            return Accepted()
        is_address = "`to`" in message
        return Rejected(answer.said, bounce="hard" if is_address else None)

    def is_genuine(self, said: Incoming, settings: Settings, fetch: Fetch) -> bool:
        secret = settings.signing_secret
        return bool(secret) and standard_webhooks.verify(secret, said.headers, said.body, said.now, prefix="svix")

    def reports(self, said: Incoming, settings: Settings, fetch: Fetch) -> Iterable[Report]:
        event = said.json()
        kind, at = text(event, "type"), (read_time(text(event, "created_at")) or 0) / SECOND
        message = _message(part(event, "data", "tags"))
        if not message:
            return
        if kind in BOUNCES:
            why = part(event, "data", kind.removeprefix("email.").replace("bounced", "bounce"))
            is_hard, reason = text(why, "type") in FOR_GOOD, text(why, "message")
            is_of_mail = text(why, "subType") in OF_MAIL
            yield refused(message, reason, at) if is_of_mail else bounced(message, is_hard, reason, at)
        elif kind == "email.failed":  # on their side, after they had taken it
            yield refused(message, text(event, "data", "failed", "reason"), at)
        elif kind in EVENTS:
            yield Report(message=message, state=EVENTS[kind], at=at, url=text(event, "data", "click", "link") or None)


def _message(tags: object) -> str:
    """They give tags back as an object, or as they were sent."""
    if isinstance(tags, list):
        return next((text(each, "value") for each in tags if text(each, "name") == "kizuna"), "")
    return text(tags, "kizuna")


provider = ResendProvider()

"""Brevo. https://developers.brevo.com/reference/send-transac-email and .../docs/transactional-webhooks"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import msgspec
from msgspec import Struct

from kizuna.providers import Accepted, Delivery, Outcome, Rejected, Unavailable
from kizuna.providers.header import sender_name, split_mailbox, wire_address
from kizuna.providers.http import Answer, Call, Fetch, HttpProvider, seconds_of, wait_of
from kizuna.providers.mime import message_id
from kizuna.providers.report import Incoming, Report, bounced, number, refused, text

RESET = "x-sib-ratelimit-reset"
CARRIED = "X-Mailin-custom"  # the header that their reports repeat
EVENTS = {
    "delivered": "delivered", "spam": "complained", "opened": "opened", "unique_opened": "opened", "click": "clicked",
    "unsubscribed": "unsubscribed", "unsubscribe": "unsubscribed", "complaint": "complained",
}  # fmt: skip
ABOUT_US = ("account_under_validation", "not_enough_credits", "permission_denied", "reseller_permission_denied")
KNOWN = ("duplicate_parameter", "duplicate_request")  # the key was there within the last 30 minutes
BOUNCES = {"hard_bounce": True, "invalid_email": True, "soft_bounce": False}
REFUSED = ("blocked", "error")  # by Brevo: a list of theirs, a fault on the way


class Settings(Struct, frozen=True, rename={"sender": "from"}):
    """An API key; `reports_token` is the bearer token of the webhook, where one was set there."""

    key: str
    sender: str
    reports_token: str = ""
    endpoint: str = "https://api.brevo.com"


class BrevoProvider(HttpProvider):
    name: ClassVar[str] = "brevo"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"key", "reports_token"})

    def call(self, delivery: Delivery, settings: Settings, now: float) -> Call:
        name, address = split_mailbox(settings.sender)
        name, address = sender_name(name), wire_address(address)
        own = {
            "Message-ID": message_id(delivery.message, address),
            "idempotencyKey": delivery.uuid,
            CARRIED: delivery.message,
        }
        mail = {
            "sender": {"email": address, "name": name} if name else {"email": address},
            "to": [{"email": wire_address(delivery.address)}],
            "subject": delivery.subject or " ",
            "textContent": delivery.text,
            **({} if delivery.html is None else {"htmlContent": delivery.html}),
            "headers": {**own, **delivery.headers},
        }
        given = {"api-key": settings.key, "Accept": "application/json", "Content-Type": "application/json"}
        return Call(f"{settings.endpoint}/v3/smtp/email", msgspec.json.encode(mail), given)

    def reference(self, answer: Answer) -> str:
        return text(answer.json(), "messageId")

    def refusal(self, answer: Answer) -> Outcome:
        said = answer.json()
        code, message = text(said, "code"), text(said, "message").lower()
        if code in KNOWN:  # an earlier attempt arrived, and its answer did not
            return Accepted()
        if code in ABOUT_US or (code == "invalid_parameter" and "sender" in message):
            return Unavailable(answer.said)
        is_address = code == "invalid_parameter" and "email is not valid in to" in message
        return Rejected(answer.said, bounce="hard" if is_address else None)

    def wait(self, answer: Answer) -> int | None:
        """A limit that is reached says in a header of its own for how many seconds."""
        found = wait_of(answer)
        return seconds_of(answer.headers.get(RESET, "")) if found is None and answer.status == 429 else found

    def is_genuine(self, said: Incoming, settings: Settings, fetch: Fetch) -> bool:
        """They sign nothing: the secret address, and the token where one is set."""
        return not settings.reports_token or said.bears(f"Bearer {settings.reports_token}")

    def reports(self, said: Incoming, settings: Settings, fetch: Fetch) -> Iterable[Report]:
        for event in said.objects():
            message, kind = text(event, CARRIED), text(event, "event")
            at = number(event, "ts_epoch") / 1000 or number(event, "ts_event")
            if not message:
                continue
            if kind in BOUNCES:
                yield bounced(message, BOUNCES[kind], text(event, "reason"), at)
            elif kind in REFUSED:
                yield refused(message, text(event, "reason"), at)
            elif kind in EVENTS:
                yield Report(message=message, state=EVENTS[kind], at=at, url=text(event, "link") or None)


provider = BrevoProvider()

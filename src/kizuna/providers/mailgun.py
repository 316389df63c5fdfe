"""Mailgun. https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages, and its webhooks"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Iterable
from typing import ClassVar
from urllib.parse import quote, urlencode

from msgspec import Struct

from kizuna.providers import Delivery, Outcome, Rejected, Unavailable
from kizuna.providers.header import sender_text, split_mailbox, wire_address
from kizuna.providers.http import Answer, Call, Fetch, HttpProvider, seconds_of, wait_of
from kizuna.providers.mime import message_id, message_named
from kizuna.providers.report import REPEATED_SECONDS, Incoming, Report, bounced, number, part, refused, text

EVENTS = {
    "delivered": "delivered", "complained": "complained", "opened": "opened", "clicked": "clicked",
    "unsubscribed": "unsubscribed",
}  # fmt: skip
HARD_REASONS = ("bounce", "suppress-bounce")
BLOCKED = "espblock"  # the mail or its sender was refused, not the address
SUPPRESSED = {"suppress-unsubscribe": "unsubscribed", "suppress-complaint": "complained"}
NOT_ALLOWED = "is not allowed to send"  # the domain: a limit is reached (their 420), or it is not verified
_UNTIL = re.compile(r"try again after ([^\"]{10,40}?(?:UTC|GMT))")


class Settings(Struct, frozen=True, rename={"sender": "from"}):
    """A sending key and its domain; `signing_key` is that of the webhooks. Without it reports are refused."""

    key: str
    domain: str
    sender: str
    signing_key: str = ""
    endpoint: str = "https://api.mailgun.net"  # or https://api.eu.mailgun.net

    def __post_init__(self) -> None:
        if not self.domain or "/" in self.domain:  # their API says yes to it, and sends nothing
            raise ValueError("`domain` is a domain, such as mg.shop.example")


class MailgunProvider(HttpProvider):
    name: ClassVar[str] = "mailgun"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"key", "signing_key"})

    def call(self, delivery: Delivery, settings: Settings, now: float) -> Call:
        mail = {
            "from": sender_text(settings.sender),
            "to": wire_address(delivery.address),
            "subject": delivery.subject or "",
            "text": delivery.text,
            **({} if delivery.html is None else {"html": delivery.html}),
            "h:Message-Id": message_id(delivery.message, split_mailbox(settings.sender)[1]),
            **{f"h:{name}": value for name, value in delivery.headers.items()},
            "v:kizuna": delivery.message,
            "o:tracking": "no",
        }
        given = {
            "Authorization": f"Basic {b64encode(f'api:{settings.key}'.encode()).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        url = f"{settings.endpoint}/v3/{quote(settings.domain, safe='')}/messages"
        return Call(url, urlencode(mail).encode(), given)

    def reference(self, answer: Answer) -> str:
        return text(answer.json(), "id")

    def refusal(self, answer: Answer) -> Outcome:
        said = text(answer.json(), "message").lower()
        if NOT_ALLOWED in said or "from parameter" in said.replace("'", ""):
            return Unavailable(answer.said, self.wait(answer))
        is_address = "to parameter is not a valid address" in said.replace("'", "")
        return Rejected(answer.said, bounce="hard" if is_address else None)

    def wait(self, answer: Answer) -> int | None:
        """Limits of a domain say in words when they end."""
        found = _UNTIL.search(text(answer.json(), "message"))
        return seconds_of(found[1]) if found else wait_of(answer)

    def is_genuine(self, said: Incoming, settings: Settings, fetch: Fetch) -> bool:
        """HMAC over time and token, which are in the body. They repeat a report with its first time."""
        signed = part(said.json(), "signature")
        stamp, token = text(signed, "timestamp"), text(signed, "token")
        if not settings.signing_key or abs(said.now - number(signed, "timestamp")) > REPEATED_SECONDS:
            return False
        ours = hmac.new(settings.signing_key.encode(), f"{stamp}{token}".encode(), "sha256").hexdigest()
        return hmac.compare_digest(ours.encode(), text(signed, "signature").encode())

    def reports(self, said: Incoming, settings: Settings, fetch: Fetch) -> Iterable[Report]:
        event = part(said.json(), "event-data")
        named = message_named(text(event, "message", "headers", "message-id"))
        message, kind = text(event, "user-variables", "kizuna") or named, text(event, "event")
        at = number(event, "timestamp")
        if not message:
            return
        if kind == "failed":
            why = text(event, "reason")
            if text(event, "severity") != "permanent":
                return  # what failed for now is still being tried
            if state := SUPPRESSED.get(why):
                yield Report(message=message, state=state, at=at)
            else:
                status = part(event, "delivery-status")
                reason = f"{int(number(status, 'code'))} {text(status, 'description') or text(status, 'message')}"
                is_hard = why in HARD_REASONS
                yield refused(message, reason, at) if why == BLOCKED else bounced(message, is_hard, reason, at)
        elif kind == "rejected":  # by their own filter, after they had taken it
            yield refused(message, text(event, "reject", "reason"), at)
        elif kind in EVENTS:
            yield Report(message=message, state=EVENTS[kind], at=at, url=text(event, "url") or None)


provider = MailgunProvider()

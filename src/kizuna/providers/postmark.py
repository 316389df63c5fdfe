"""Postmark. https://postmarkapp.com/developer/api/email-api and .../webhooks/webhooks-overview"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from kizuna.core.clock import SECOND, read_time
from kizuna.providers import Delivery, Outcome, Rejected, Unavailable
from kizuna.providers.header import sender_text, split_mailbox, wire_address
from kizuna.providers.http import Answer, Call, Fetch, HttpProvider
from kizuna.providers.mime import message_id
from kizuna.providers.report import Incoming, Report, bounced, part, refused, text

INVALID_REQUEST, INACTIVE = 300, 406
ABOUT_US = (10, 100, 400, 401, 405, 412, 413, 1235)  # key, maintenance, sender signature, allowance, account, stream
HARD_TYPES = ("HardBounce", "BadEmailAddress")
SOFT_TYPES = ("SoftBounce", "DnsError", "Undeliverable", "Unknown")
NOBODYS_TYPES = (
    "Blocked",
    "SpamNotification",
    "DMARCPolicy",
    "VirusNotification",
    "SMTPApiError",
    "ManuallyDeactivated",
)
OTHER_TYPES = {"Unsubscribe": "unsubscribed", "SpamComplaint": "complained"}
RECORDS = {
    "Delivery": ("delivered", "DeliveredAt"), "SpamComplaint": ("complained", "BouncedAt"),
    "Open": ("opened", "ReceivedAt"), "Click": ("clicked", "ReceivedAt"),
}  # fmt: skip


class Settings(Struct, frozen=True, rename={"sender": "from"}):
    """A server token; `reports_password` where the address for reports was given a name and password (name: kizuna)."""

    token: str
    sender: str
    stream: str = "outbound"
    reports_password: str = ""
    endpoint: str = "https://api.postmarkapp.com"


class PostmarkProvider(HttpProvider):
    name: ClassVar[str] = "postmark"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"token", "reports_password"})

    def call(self, delivery: Delivery, settings: Settings, now: float) -> Call:
        headers = {"Message-ID": message_id(delivery.message, split_mailbox(settings.sender)[1]), "X-PM-KeepID": "true"}
        mail = {
            "From": sender_text(settings.sender),
            "To": wire_address(delivery.address),
            "Subject": delivery.subject or "",
            "TextBody": delivery.text,
            "HtmlBody": delivery.html,
            "MessageStream": settings.stream,
            "Headers": [{"Name": name, "Value": value} for name, value in (headers | dict(delivery.headers)).items()],
            "Metadata": {"kizuna": delivery.message},
            "TrackOpens": False,
            "TrackLinks": "None",
        }
        given = {"Accept": "application/json", "Content-Type": "application/json"}
        return Call(
            f"{settings.endpoint}/email",
            msgspec.json.encode(mail),
            {**given, "X-Postmark-Server-Token": settings.token},
        )

    def reference(self, answer: Answer) -> str:
        return text(answer.json(), "MessageID")

    def refusal(self, answer: Answer) -> Outcome:
        said = answer.json()
        code, message = part(said, "ErrorCode"), text(said, "Message")
        is_invalid = code == INVALID_REQUEST
        if code in ABOUT_US or (is_invalid and "'From'" in message):
            return Unavailable(answer.said)
        is_address = code == INACTIVE or (is_invalid and "'To'" in message)
        return Rejected(answer.said, bounce="hard" if is_address else None)

    def is_genuine(self, said: Incoming, settings: Settings, fetch: Fetch) -> bool:
        """They sign nothing: the secret address, and the password where one is set."""
        ours = b64encode(f"kizuna:{settings.reports_password}".encode()).decode()
        return not settings.reports_password or said.bears(f"Basic {ours}")

    def reports(self, said: Incoming, settings: Settings, fetch: Fetch) -> Iterable[Report]:
        for event in said.objects():
            message, kind = text(event, "Metadata", "kizuna"), text(event, "RecordType")
            if not message:
                continue
            if kind == "Bounce":
                yield from _bounce(event, message)
            elif kind == "SubscriptionChange":
                yield from _change(event, message)
            elif kind in RECORDS:
                state, when = RECORDS[kind]
                yield Report(message=message, state=state, at=_at(event, when), url=text(event, "OriginalLink") or None)


def _bounce(event: dict[str, Any], message: str) -> Iterable[Report]:
    """Types that say nothing here are answers of machines, or still being tried."""
    why, at = text(event, "Type"), _at(event, "BouncedAt")
    reason = f"{why}: {text(event, 'Description') or text(event, 'Details')}"
    if why in HARD_TYPES or why in SOFT_TYPES:
        yield bounced(message, why in HARD_TYPES, reason, at)
    elif why in NOBODYS_TYPES:
        yield refused(message, reason, at)
    elif state := OTHER_TYPES.get(why):
        yield Report(message=message, state=state, at=at)


def _change(event: dict[str, Any], message: str) -> Iterable[Report]:
    """An address went onto the list of those who get nothing more: by a wish, or because it bounced."""
    at, why = _at(event, "ChangedAt"), text(event, "SuppressionReason")
    if event.get("SuppressSending") is not True:
        return
    if why == "HardBounce":
        yield bounced(message, True, why, at)
    else:
        yield Report(message=message, state="complained" if why == "SpamComplaint" else "unsubscribed", at=at)


def _at(event: dict[str, Any], name: str) -> float:
    return (read_time(text(event, name)) or 0) / SECOND


provider = PostmarkProvider()

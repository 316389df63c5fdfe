"""Postmark. https://postmarkapp.com/developer/api/email-api and .../webhooks/webhooks-overview"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from email.utils import parseaddr
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from kizuna.core.clock import SECOND, read_time
from kizuna.providers import Delivery, Outcome, Rejected, Unavailable
from kizuna.providers.http import Answer, Call, Fetch, HttpProvider
from kizuna.providers.mime import message_id
from kizuna.providers.report import Incoming, Report, bounced, part, text

INVALID_REQUEST, INACTIVE = 300, 406
ABOUT_US = (10, 400, 401, 405, 412, 413)  # key, sender signature, allowance, account
HARD_TYPES = ("HardBounce", "BadEmailAddress")
SOFT_TYPES = ("SoftBounce", "Blocked", "DnsError", "DMARCPolicy", "SpamNotification", "Undeliverable", "Unknown")
RECORDS = {
    "Delivery": ("delivered", "DeliveredAt"), "SpamComplaint": ("complained", "BouncedAt"),
    "Open": ("opened", "ReceivedAt"), "Click": ("clicked", "ReceivedAt"),
    "SubscriptionChange": ("unsubscribed", "ChangedAt"),
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
        headers = {"Message-ID": message_id(delivery.message, parseaddr(settings.sender)[1]), "X-PM-KeepID": "true"}
        mail = {
            "From": settings.sender,
            "To": delivery.address,
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
        code = part(said, "ErrorCode")
        if code in ABOUT_US:
            return Unavailable(answer.said)
        is_address = code == INACTIVE or (code == INVALID_REQUEST and "'To'" in text(said, "Message"))
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
                why, reason = text(event, "Type"), text(event, "Description") or text(event, "Details")
                if why in HARD_TYPES or why in SOFT_TYPES:  # others are answers of machines, or still being tried
                    yield bounced(message, why in HARD_TYPES, f"{why}: {reason}", _at(event, "BouncedAt"))
            elif kind in RECORDS and (kind != "SubscriptionChange" or event.get("SuppressSending") is True):
                state, when = RECORDS[kind]
                yield Report(message=message, state=state, at=_at(event, when), url=text(event, "OriginalLink") or None)


def _at(event: dict[str, Any], name: str) -> float:
    return (read_time(text(event, name)) or 0) / SECOND


provider = PostmarkProvider()

"""SendGrid. https://www.twilio.com/docs/sendgrid/api-reference/mail-send, and its event webhook"""

from __future__ import annotations

import binascii
import time
from base64 import b64decode
from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from msgspec import Struct

from kizuna.providers import Delivery, Outcome, Rejected, Unavailable
from kizuna.providers.header import split_mailbox, wire_address
from kizuna.providers.http import MOST_WAIT, Answer, Call, Fetch, HttpProvider, wait_of
from kizuna.providers.mime import message_id
from kizuna.providers.report import REPEATED_SECONDS, Incoming, Report, bounced, number, part, refused, text

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
EVENTS = {
    "delivered": "delivered", "spamreport": "complained", "open": "opened", "click": "clicked",
    "unsubscribe": "unsubscribed", "group_unsubscribe": "unsubscribed",
}  # fmt: skip
FULL = "Mailbox Unavailable"
DROPPED = {"unsubscribed address": "unsubscribed", "spam reporting address": "complained"}
DROPPED_FOR_GOOD = ("bounced address", "invalid")
OFF = {"enable": False}


class Settings(Struct, frozen=True, rename={"sender": "from"}):
    """An API key; `verification_key` is the public key of the signed event webhook. Without it reports are refused."""

    key: str
    sender: str
    verification_key: str = ""
    endpoint: str = "https://api.sendgrid.com"


class SendGridProvider(HttpProvider):
    name: ClassVar[str] = "sendgrid"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"key"})

    def call(self, delivery: Delivery, settings: Settings, now: float) -> Call:
        name, address = split_mailbox(settings.sender)
        address = wire_address(address)
        content = [("text/plain", delivery.text), ("text/html", delivery.html)]
        mail = {
            "personalizations": [
                {"to": [{"email": wire_address(delivery.address)}], "custom_args": {"kizuna": delivery.message}}
            ],
            "from": {"email": address, "name": name} if name else {"email": address},
            "subject": delivery.subject or " ",  # they refuse an empty one
            "content": [{"type": kind, "value": said or " "} for kind, said in content if said is not None],
            "headers": {"Message-ID": message_id(delivery.message, address), **delivery.headers},
            "tracking_settings": {"click_tracking": OFF, "open_tracking": OFF, "subscription_tracking": OFF},
        }
        given = {"Authorization": f"Bearer {settings.key}", "Content-Type": "application/json"}
        return Call(f"{settings.endpoint}/v3/mail/send", msgspec.json.encode(mail), given)

    def reference(self, answer: Answer) -> str:
        return answer.headers.get("x-message-id", "")

    def refusal(self, answer: Answer) -> Outcome:
        errors: Any = part(answer.json(), "errors")
        fields = [text(each, "field") for each in errors] if isinstance(errors, list) else []
        if any(field.startswith("from") for field in fields):
            return Unavailable(answer.said)
        is_address = any(field.startswith("personalizations") and ".to" in field for field in fields)
        return Rejected(answer.said, bounce="hard" if is_address else None)

    def wait(self, answer: Answer) -> int | None:
        """A limit that is reached says when it ends (in seconds since 1970), not how long that is."""
        ends, found = answer.headers.get("x-ratelimit-reset", ""), wait_of(answer)
        if found is not None or answer.status != 429 or not (ends.isascii() and ends.isdigit()):
            return found
        return max(1, min(int(ends[:12]) - int(time.time()), MOST_WAIT))

    def is_genuine(self, said: Incoming, settings: Settings, fetch: Fetch) -> bool:
        """ECDSA over time and body. They repeat a report with its first time."""
        stamp = said.headers.get(TIMESTAMP, "")
        if not (stamp.isascii() and stamp.isdigit()) or abs(said.now - int(stamp[:12])) > REPEATED_SECONDS:
            return False
        try:
            key = load_der_public_key(b64decode(settings.verification_key))
            if not isinstance(key, ec.EllipticCurvePublicKey):
                return False
            signature = b64decode(said.headers.get(SIGNATURE, ""))
            key.verify(signature, stamp.encode() + said.body, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, UnsupportedAlgorithm, ValueError, binascii.Error):
            return False
        return True

    def reports(self, said: Incoming, settings: Settings, fetch: Fetch) -> Iterable[Report]:
        for event in said.objects():
            message, kind, at = text(event, "kizuna"), text(event, "event"), number(event, "timestamp")
            reason = text(event, "reason")
            if not message:
                continue
            if kind == "bounce" and text(event, "type") == "blocked" and text(event, "bounce_classification") != FULL:
                yield refused(message, reason, at)  # this mail or its sender was refused, not the address
            elif kind == "bounce":
                yield bounced(message, text(event, "type") in ("", "bounce"), reason, at)
            elif kind == "dropped" and (state := DROPPED.get(reason.lower())):
                yield Report(message=message, state=state, at=at)
            elif kind == "dropped" and reason.lower() in DROPPED_FOR_GOOD:
                yield bounced(message, True, reason, at)
            elif kind == "dropped":  # by a fault of ours: it blames no address
                yield refused(message, reason, at)
            elif kind in EVENTS:
                yield Report(message=message, state=EVENTS[kind], at=at, url=text(event, "url") or None)


provider = SendGridProvider()

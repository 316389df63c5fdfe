"""Vonage. https://developer.vonage.com/en/api/messages and .../getting-started/concepts/webhooks (signed webhooks)"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from kizuna.core.clock import SECOND, read_time
from kizuna.providers import Delivery, Outcome, Rejected, Unavailable, signed
from kizuna.providers.http import Answer, Call, Fetch, HttpProvider
from kizuna.providers.report import REPEATED_SECONDS, Act, Incoming, Report, bounced, number, part, text

OPTED_OUT = re.compile(r"number barred|opted out|unsubscribed", re.IGNORECASE)
NO_NUMBER = re.compile(r"illegal number|msisdn|absent subscriber.{1,5}permanent", re.IGNORECASE)
ABOUT_US = re.compile(r"sender|quota|account|credit|throttled|\bfrom\b", re.IGNORECASE)
NOT_THEIR_FAULT = re.compile(r"spam|sender|quota|account|credit|throttled|too long", re.IGNORECASE)
BEARER = "Bearer "


class Settings(Struct, frozen=True, rename={"sender": "from"}):
    """An API key with its secret; `signature_secret` is what signs their webhooks. `answers_keywords`: whether somebody
    else than we answers `STOP`, `START` and `HELP`."""

    key: str
    secret: str
    sender: str
    signature_secret: str = ""
    answers_keywords: bool = False
    endpoint: str = "https://api.nexmo.com"


class VonageProvider(HttpProvider):
    name: ClassVar[str] = "vonage"
    channel: ClassVar[str | None] = "sms"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"secret", "signature_secret"})

    def call(self, delivery: Delivery, settings: Settings, now: float) -> Call:
        said = {
            "channel": "sms",
            "message_type": "text",
            "to": delivery.address.removeprefix("+"),
            "from": settings.sender.removeprefix("+"),
            "text": delivery.text,
            "client_ref": delivery.message,
        }
        key = b64encode(f"{settings.key}:{settings.secret}".encode()).decode()
        headers = {"Authorization": f"Basic {key}", "Content-Type": "application/json"}
        return Call(f"{settings.endpoint}/v1/messages", msgspec.json.encode(said), headers)

    def reference(self, answer: Answer) -> str:
        return text(answer.json(), "message_uuid")

    def refusal(self, answer: Answer) -> Outcome:
        said = answer.json()
        parameters = part(said, "invalid_parameters")
        named = {text(each, "name") for each in parameters} if isinstance(parameters, list) else set()
        why = _why(said)
        if OPTED_OUT.search(why):
            return Rejected(answer.said, opted_out=True)
        if "to" in named or NO_NUMBER.search(why):
            return Rejected(answer.said, bounce="hard")
        return Unavailable(answer.said) if "from" in named or ABOUT_US.search(why) else Rejected(answer.said)

    def is_genuine(self, said: Incoming, settings: Settings, fetch: Fetch) -> bool:
        """A token (RFC 7519) signed by HMAC-SHA256, which says when, and the hash of the body."""
        token = said.headers.get("authorization", "")
        content, _, signature = token.removeprefix(BEARER).rpartition(".")
        if not settings.signature_secret or not token.startswith(BEARER):
            return False
        ours = hmac.digest(settings.signature_secret.encode(), content.encode(), "sha256")
        try:
            header, _, claims = content.partition(".")
            if text(msgspec.json.decode(signed.decode(header)), "alg") != "HS256":
                return False
            if not hmac.compare_digest(ours, signed.decode(signature)):
                return False
            claimed: Any = msgspec.json.decode(signed.decode(claims))
        except (ValueError, RecursionError):  # no base 64, no JSON
            return False
        is_near = abs(said.now - number(claimed, "iat")) <= REPEATED_SECONDS
        return is_near and text(claimed, "payload_hash").lower() == hashlib.sha256(said.body).hexdigest()

    def reports(self, said: Incoming, settings: Settings, fetch: Fetch) -> Iterable[Report | Act]:
        for event in said.objects():
            if text(event, "channel") == "sms" and text(event, "message_type") == "text":
                yield from _reply(event, settings)
                continue
            message, state, why = text(event, "client_ref"), text(event, "status"), _why(part(event, "error"))
            at = (read_time(text(event, "timestamp")) or 0) / SECOND
            if not message:
                continue
            if state in ("delivered", "read"):
                yield Report(message=message, state="delivered", at=at)
            elif state in ("rejected", "undeliverable") and OPTED_OUT.search(why):
                yield Report(message=message, state="unsubscribed", at=at, of_channel=True)
            elif state in ("rejected", "undeliverable"):
                if NOT_THEIR_FAULT.search(why) and not NO_NUMBER.search(why):
                    yield Report(message=message, state="bounced", at=at, reason=why[:500])
                else:
                    yield bounced(message, bool(NO_NUMBER.search(why)), why or state, at)


def _reply(event: Any, settings: Settings) -> Iterable[Act]:
    name, address = text(event, "message_uuid"), text(event, "from").removeprefix("+")
    if name and address:
        at, words = (read_time(text(event, "timestamp")) or 0) / SECOND, text(event, "text")
        is_theirs = settings.answers_keywords
        yield Act(address=f"+{address}", state="replied", id=name, text=words, at=at, is_answered=is_theirs)


def _why(said: Any) -> str:
    return ": ".join(each for each in (text(said, "title"), text(said, "detail")) if each)


provider = VonageProvider()

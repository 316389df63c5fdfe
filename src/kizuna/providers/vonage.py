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
from kizuna.providers.report import REPEATED_SECONDS, Act, Incoming, Report, bounced, number, part, refused, text

OPTED_OUT = re.compile(r"number barred|illegal number|opted out|unsubscribed", re.IGNORECASE)
NO_NUMBER = re.compile(r"msisdn|absent subscriber.{1,5}permanent|`to` parameter|invalid recipient", re.IGNORECASE)
ABOUT_US = re.compile(r"sender|quota|account|credit|throttled|\bfrom\b", re.IGNORECASE)
NOT_THEIR_FAULT = re.compile(r"spam|sender|quota|account|credit|throttled|too long", re.IGNORECASE)
# Codes of status reports: 1240 ("Illegal Number") is somebody who wrote STOP
OPTED_OUT_CODES, NO_NUMBER_CODES, NOBODYS_CODES = (1050, 1240), (1170, 1190), (*range(1000, 1170), 1210, 1241, 1320)
_CODE = re.compile(r"(?:\A|#)(\d{4})\Z")
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
            message, state = text(event, "client_ref"), text(event, "status")
            at = (read_time(text(event, "timestamp")) or 0) / SECOND
            if not message:
                continue
            if state in ("delivered", "read"):
                yield Report(message=message, state="delivered", at=at)
            elif state in ("rejected", "undeliverable"):
                error = part(event, "error", "error") or part(event, "error")  # some write it twice
                yield _failed(message, _code(error), _why(error) or state, at)


def _reply(event: Any, settings: Settings) -> Iterable[Act]:
    name, address = text(event, "message_uuid"), text(event, "from").removeprefix("+")
    if name and address:
        at, words = (read_time(text(event, "timestamp")) or 0) / SECOND, text(event, "text")
        is_theirs = settings.answers_keywords
        yield Act(address=f"+{address}", state="replied", id=name, text=words, at=at, is_answered=is_theirs)


def _failed(message: str, code: int, why: str, at: float) -> Report:
    """By the code where it is one that we know, else by the words."""
    if code in OPTED_OUT_CODES or OPTED_OUT.search(why):
        return Report(message=message, state="unsubscribed", at=at, of_channel=True)
    if code in NO_NUMBER_CODES or NO_NUMBER.search(why):
        return bounced(message, True, why, at)
    if code in NOBODYS_CODES or NOT_THEIR_FAULT.search(why):
        return refused(message, why, at)
    return bounced(message, False, why, at)


def _code(error: Any) -> int:
    """It is the title, as a number or as a text, or stands at the end of the type's address."""
    written = (str(part(error, "title")), text(error, "type"))
    return next((int(found[1]) for each in written if (found := _CODE.search(each))), 0)


def _why(said: Any) -> str:
    title = part(said, "title")
    named = str(title) if isinstance(title, int) else text(said, "title")
    return ": ".join(each for each in (named, text(said, "detail")) if each)


provider = VonageProvider()

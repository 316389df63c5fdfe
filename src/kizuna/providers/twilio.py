"""Twilio. https://www.twilio.com/docs/messaging/api/message-resource and .../usage/webhooks/webhooks-security"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable
from typing import ClassVar
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from kizuna.providers import Delivery, Outcome, Rejected, Unavailable
from kizuna.providers.http import Answer, Call, Fetch, HttpProvider
from kizuna.providers.report import Act, Incoming, Report, bounced, part, refused, text

OPTED_OUT = "21610"
NO_NUMBER = ("21211", "21214", "21217", "21614", "21635", "30005", "30006")  # none, landline, unknown at its carrier
ABOUT_US = (
    "20003", "21603", "21606", "21609", "21611", "21659", "21660", "21661", "21701", "21703", "21705", "21910",
)  # account, sender and its queue, call-back, service  # fmt: skip
NOT_THEIR_FAULT = (
    "30001", "30002", "30007", "30022", "30023", "30032", "30034", "30037", "30450",
)  # queue, account, filtered, limits of the sender, unregistered sender  # fmt: skip
FAILED = ("undelivered", "failed")
# https://help.twilio.com/articles/223134027: words in English only; those of Advanced Opt-Out come with `OptOutType`
THEIR_WORDS = frozenset(
    (
        "STOP",
        "STOPALL",
        "UNSUBSCRIBE",
        "CANCEL",
        "END",
        "QUIT",
        "REVOKE",
        "OPTOUT",
        "START",
        "YES",
        "UNSTOP",
        "HELP",
        "INFO",
    )
)


class Settings(Struct, frozen=True, rename={"sender": "from"}):
    """`from` is a number, a sender's name or a messaging service (MG...). `status_callback` is our `reports_url`:
    each message names itself in it, for their reports do not say whose they are. `answers_keywords`: whether they
    answer `STOP`, `START` and `HELP` themselves, as they do unless they were asked not to."""

    account: str
    token: str
    sender: str
    status_callback: str = ""
    answers_keywords: bool = True
    endpoint: str = "https://api.twilio.com"


class TwilioProvider(HttpProvider):
    name: ClassVar[str] = "twilio"
    channel: ClassVar[str | None] = "sms"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"token"})

    def call(self, delivery: Delivery, settings: Settings, now: float) -> Call:
        sender = "MessagingServiceSid" if settings.sender.startswith("MG") else "From"
        form = {"To": delivery.address, sender: settings.sender, "Body": delivery.text}
        if settings.status_callback:
            form["StatusCallback"] = f"{settings.status_callback}?{urlencode({'message': delivery.message})}"
        key = b64encode(f"{settings.account}:{settings.token}".encode()).decode()
        headers = {"Authorization": f"Basic {key}", "Content-Type": "application/x-www-form-urlencoded"}
        url = f"{settings.endpoint}/2010-04-01/Accounts/{settings.account}/Messages.json"
        return Call(url, urlencode(form).encode(), headers)

    def reference(self, answer: Answer) -> str:
        return text(answer.json(), "sid")

    def refusal(self, answer: Answer) -> Outcome:
        code = str(part(answer.json(), "code"))
        if code in ABOUT_US:
            return Unavailable(answer.said)
        bounce = "hard" if code in NO_NUMBER else None
        return Rejected(answer.said, bounce=bounce, opted_out=code == OPTED_OUT)

    def is_genuine(self, said: Incoming, settings: Settings, fetch: Fetch) -> bool:
        """They sign the address as they know it, with its port or without, and the fields of the form, each once, in
        the order of their names and values."""
        fields = "".join(f"{name}{value}" for name, value in sorted(set(said.fields())))
        given = said.headers.get("x-twilio-signature", "").encode()
        key = settings.token.encode()
        ours = [b64encode(hmac.digest(key, f"{url}{fields}".encode(), "sha1")) for url in _spellings(said.url)]
        return sum(hmac.compare_digest(each, given) for each in ours) > 0

    def reports(self, said: Incoming, settings: Settings, fetch: Fetch) -> Iterable[Report | Act]:
        form, message = said.form(), said.query("message")
        if form.get("SmsStatus") == "received" and form.get("MessageSid") and "Body" in form:
            words = form["Body"]
            theirs = "OptOutType" in form or (settings.answers_keywords and words.strip().upper() in THEIR_WORDS)
            address, name = form.get("From", ""), form["MessageSid"]
            yield Act(address=address, state="replied", id=name, text=words, is_answered=theirs)
        state, code = form.get("MessageStatus", ""), form.get("ErrorCode", "")
        if not message:
            return
        if state == "delivered":
            yield Report(message=message, state="delivered")
        elif state in FAILED and code == OPTED_OUT:
            yield Report(message=message, state="unsubscribed", of_channel=True)
        elif state in FAILED and code in NOT_THEIR_FAULT:
            yield refused(message, f"{state}: {code}", 0.0)
        elif state in FAILED:
            yield bounced(message, code in NO_NUMBER, f"{state}: {code}".rstrip(": "), 0.0)


def _spellings(url: str) -> tuple[str, str]:
    """Of one address: without a port, and with the one that is meant."""
    parts = urlsplit(url)
    host, colon, port = parts.netloc.rpartition(":")
    if not colon or not port.isdigit():
        host, port = parts.netloc, "443" if parts.scheme == "https" else "80"
    return parts._replace(netloc=host).geturl(), parts._replace(netloc=f"{host}:{port}").geturl()


provider = TwilioProvider()

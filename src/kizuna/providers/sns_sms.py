"""SMS by Amazon SNS. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html; replies of two-way SMS over a topic

What became of a message they write to CloudWatch only, so there are no delivery reports.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, ClassVar
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from kizuna.core.clock import SECOND, read_time
from kizuna.providers import Delivery, Outcome, Rejected, Unavailable, sigv4, sns
from kizuna.providers.http import Answer, Call, Fetch, HttpProvider
from kizuna.providers.report import Act, Incoming, Report, text

_ID = re.compile(rb"<MessageId>([0-9A-Za-z-]{1,100})</MessageId>")
ABOUT_US = (
    b"Throttl",
    b"<Code>KMS",
    b"security token",
    b"Signature",
    b"<Code>MissingAuth",
    b"SMSSandbox",
    b"SenderID",
    b"OriginationNumber",
)
# https://docs.aws.amazon.com/sms-voice/latest/userguide/keywords-required.html
THEIR_WORDS = frozenset(
    ("ARRET", "CANCEL", "END", "OPT-OUT", "OPTOUT", "QUIT", "REMOVE", "STOP", "TD", "UNSUBSCRIBE", "HELP")
)
NO_NUMBER = re.compile(rb"PhoneNumber Reason:.{0,40}(?:not valid|invalid)", re.IGNORECASE | re.DOTALL)


class Settings(Struct, frozen=True):
    """An access key that may do `sns:Publish`; `topic` is the ARN of the topic that brings replies. `answers_keywords`:
    whether they answer `STOP` and `HELP` themselves, as they do unless opt-outs are managed by hand there."""

    key: str
    secret: str
    region: str
    sender_id: str = ""
    origination_number: str = ""
    kind: str = "Promotional"  # or Transactional: how they route it
    topic: str = ""
    answers_keywords: bool = True
    endpoint: str = ""  # empty: that of the region


class SnsSmsProvider(HttpProvider):
    name: ClassVar[str] = "sns_sms"
    channel: ClassVar[str | None] = "sms"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"secret"})

    def call(self, delivery: Delivery, settings: Settings, now: float) -> Call:
        form = {"Action": "Publish", "Version": "2010-03-31", "PhoneNumber": delivery.address, "Message": delivery.text}
        attributes = {
            "AWS.SNS.SMS.SMSType": settings.kind,
            "AWS.SNS.SMS.SenderID": settings.sender_id,
            "AWS.MM.SMS.OriginationNumber": settings.origination_number,
        }
        given = [(name, value) for name, value in attributes.items() if value]
        for number, (name, value) in enumerate(given, 1):
            entry = f"MessageAttributes.entry.{number}"
            form |= {f"{entry}.Name": name, f"{entry}.Value.DataType": "String", f"{entry}.Value.StringValue": value}
        url = f"{settings.endpoint or sigv4.endpoint('sns', settings.region)}/"
        body = urlencode(form).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        signer = sigv4.Signer(settings.key, settings.secret, settings.region, "sns")
        return Call(url, body, sigv4.signed(signer, "POST", url, headers, body, now))

    def reference(self, answer: Answer) -> str:
        found = _ID.search(answer.body)
        return found.group(1).decode() if found else ""

    def refusal(self, answer: Answer) -> Outcome:
        """To a number that opted out there they say yes, and send nothing."""
        if any(said in answer.body for said in ABOUT_US):
            return Unavailable(answer.said)
        is_opted_out = b"opted out" in answer.body
        bounce = "hard" if NO_NUMBER.search(answer.body) and not is_opted_out else None
        return Rejected(answer.said, bounce=bounce, opted_out=is_opted_out)

    def is_genuine(self, said: Incoming, settings: Settings, fetch: Fetch) -> bool:
        event = said.json()
        return settings.topic in ("", text(event, "TopicArn")) and sns.verify(event, fetch)

    def reports(self, said: Incoming, settings: Settings, fetch: Fetch) -> Iterable[Report | Act]:
        """A subscription is confirmed at once: it came over our secret address, signed."""
        notification = said.json()
        if text(notification, "Type") == sns.CONFIRMATION and sns.is_theirs(url := text(notification, "SubscribeURL")):
            fetch(url)
        try:
            event: Any = msgspec.json.decode(text(notification, "Message"))
        except (msgspec.DecodeError, RecursionError):
            return
        name, address = text(event, "inboundMessageId"), text(event, "originationNumber")
        if name and address:
            at, words = (read_time(text(notification, "Timestamp")) or 0) / SECOND, text(event, "messageBody")
            is_theirs = settings.answers_keywords and words.strip().upper() in THEIR_WORDS
            yield Act(address=address, state="replied", id=name, text=words, at=at, is_answered=is_theirs)


provider = SnsSmsProvider()

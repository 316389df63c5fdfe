"""Amazon SES. https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html, reports by SNS"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from kizuna.core.clock import SECOND, read_time
from kizuna.providers import Delivery, Outcome, Rejected, Unavailable, sigv4, sns
from kizuna.providers.header import wire_address
from kizuna.providers.http import Answer, Call, Fetch, HttpProvider
from kizuna.providers.mime import build, message_named
from kizuna.providers.report import Incoming, Report, bounced, part, refused, text

EVENTS = {
    "Delivery": "delivered", "Complaint": "complained", "Open": "opened", "Click": "clicked",
    "Subscription": "unsubscribed",
}  # fmt: skip
OF_MAIL = ("ContentRejected", "AttachmentRejected", "MessageTooLarge")
NO_COMPLAINTS = ("not-spam", "auth-failure")  # reports of mail servers
ABOUT_US = ("AccountSuspended", "SendingPaused", "MailFromDomainNotVerified", "LimitExceeded", "TooManyRequests")


class Settings(Struct, frozen=True, rename={"sender": "from"}):
    """An access key that may do `ses:SendEmail`; `topic` is the ARN of the SNS topic that brings reports."""

    key: str
    secret: str
    region: str
    sender: str
    configuration_set: str = ""
    topic: str = ""
    endpoint: str = ""  # empty: that of the region


class SesProvider(HttpProvider):
    name: ClassVar[str] = "ses"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"secret"})

    def call(self, delivery: Delivery, settings: Settings, now: float) -> Call:
        mail = {
            "Destination": {"ToAddresses": [wire_address(delivery.address)]},
            "Content": {"Raw": {"Data": b64encode(build(delivery, settings.sender)).decode()}},
            "EmailTags": [{"Name": "kizuna", "Value": delivery.message}],
            **({"ConfigurationSetName": settings.configuration_set} if settings.configuration_set else {}),
        }
        url = f"{settings.endpoint or sigv4.endpoint('email', settings.region)}/v2/email/outbound-emails"
        body = msgspec.json.encode(mail)
        signer = sigv4.Signer(settings.key, settings.secret, settings.region, "ses")
        return Call(url, body, sigv4.signed(signer, "POST", url, {"Content-Type": "application/json"}, body, now))

    def reference(self, answer: Answer) -> str:
        return text(answer.json(), "MessageId")

    def refusal(self, answer: Answer) -> Outcome:
        said = answer.json()
        kind = answer.headers.get("x-amzn-errortype") or text(said, "__type").rpartition("#")[2]
        message = (text(said, "message") or text(said, "Message")).lower()
        if kind.startswith(ABOUT_US) or "not verified" in message or "signature" in message:
            return Unavailable(answer.said)
        is_address = "domain contains dot-string" in message or "illegal address" in message
        return Rejected(answer.said, bounce="hard" if is_address else None)

    def is_genuine(self, said: Incoming, settings: Settings, fetch: Fetch) -> bool:
        event = said.json()
        return settings.topic in ("", text(event, "TopicArn")) and sns.verify(event, fetch)

    def reports(self, said: Incoming, settings: Settings, fetch: Fetch) -> Iterable[Report]:
        """A subscription is confirmed at once: it came over our secret address, signed."""
        notification = said.json()
        if text(notification, "Type") == sns.CONFIRMATION:
            if sns.is_theirs(url := text(notification, "SubscribeURL")):
                fetch(url)
            return
        try:
            event: Any = msgspec.json.decode(text(notification, "Message"))
        except (msgspec.DecodeError, RecursionError):
            return  # such as the line that says that a topic works
        if message := _message(event):
            yield from _became(message, text(event, "eventType") or text(event, "notificationType"), event)


def _message(event: Any) -> str:
    """By the tag; notifications of an identity bring no tags, but the headers where it is set to include them."""
    tags = part(event, "mail", "tags", "kizuna")
    if isinstance(tags, list) and tags and isinstance(tags[0], str):
        return tags[0]
    headers = part(event, "mail", "headers")
    for header in headers if isinstance(headers, list) else ():
        if text(header, "name").lower() == "message-id":
            return message_named(text(header, "value"))
    return ""


def _became(message: str, kind: str, event: Any) -> Iterable[Report]:
    about = part(event, kind.lower())
    at = (read_time(text(about, "timestamp")) or 0) / SECOND
    if kind == "Bounce":
        yield _bounce(message, about, at)
    elif kind == "Reject":
        yield refused(message, text(about, "reason"), at)
    elif kind == "Complaint" and text(about, "complaintFeedbackType") in NO_COMPLAINTS:
        return
    elif kind in EVENTS and _is_leaving(kind, about):
        yield Report(message=message, state=EVENTS[kind], at=at, url=text(about, "link") or None)


def _bounce(message: str, about: Any, at: float) -> Report:
    why, more = text(about, "bounceType"), text(about, "bounceSubType")
    reason = _diagnosis(about) or more
    if more == "UnsubscribedRecipient":  # from a contact list of theirs
        return Report(message=message, state="unsubscribed", at=at)
    if why == "Undetermined" or more in OF_MAIL:
        return refused(message, reason, at)
    return bounced(message, why == "Permanent", reason, at)


def _diagnosis(about: Any) -> str:
    recipients = part(about, "bouncedRecipients")
    return text(recipients[0], "diagnosticCode") if isinstance(recipients, list) and recipients else ""


def _is_leaving(kind: str, about: Any) -> bool:
    """A change of subscription counts where it is away from everything."""
    return kind != "Subscription" or part(about, "newTopicPreferences", "unsubscribeAll") is True


provider = SesProvider()

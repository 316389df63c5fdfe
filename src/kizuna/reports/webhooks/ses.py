"""Amazon SES: notifications as SNS posts or mails them.

https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

from __future__ import annotations

from typing import Any

from kizuna.reports.feedback import meaning
from kizuna.reports.reason import Said, judge
from kizuna.reports.result import BOUNCE, DELAYED, DELIVERED, OTHER, Report, Result
from kizuna.reports.webhooks import mapping, mappings, text


def read(body: Any) -> Report:
    notice = mapping(body)
    kind = text(notice.get("notificationType") or notice.get("eventType"))
    reader = _READERS.get(kind)
    results = reader(notice) if reader else []
    headers = mappings(mapping(notice.get("mail")).get("headers"))
    about = [text(each.get("value")).strip("<> ") for each in headers if text(each.get("name")).lower() == "message-id"]
    return Report(results or [Result(None, OTHER)], about)


def _bounced(notice: dict[str, Any]) -> list[Result]:
    bounce = mapping(notice.get("bounce"))
    kind = bounce.get("bounceType")
    results = [
        judge(_address(each), BOUNCE, Said(diagnostic=text(each.get("diagnosticCode")), status=_status(each)))
        for each in mappings(bounce.get("bouncedRecipients"))
    ]
    if kind == "Permanent":  # of the list of addresses that SES itself no longer writes to there is no answer to quote
        return [
            r if r.reason != "other" else Result(r.address, BOUNCE, "unknown_user", r.status, r.reply_code)
            for r in results
        ]
    return results


def _complained(notice: dict[str, Any]) -> list[Result]:
    complaint = mapping(notice.get("complaint"))
    kind, reason = meaning(text(complaint.get("complaintFeedbackType")) or "abuse")
    return [Result(_address(each), kind, reason) for each in mappings(complaint.get("complainedRecipients"))]


def _delivered(notice: dict[str, Any]) -> list[Result]:
    delivery = mapping(notice.get("delivery"))
    said = Said(diagnostic=text(delivery.get("smtpResponse")))
    recipients = delivery.get("recipients")
    named = [each for each in recipients if isinstance(each, str)] if isinstance(recipients, list) else []
    return [judge(address, DELIVERED, said) for address in named]


def _delayed(notice: dict[str, Any]) -> list[Result]:
    return [
        judge(_address(each), DELAYED, Said(diagnostic=text(each.get("diagnosticCode")), status=_status(each)))
        for each in mappings(mapping(notice.get("deliveryDelay")).get("delayedRecipients"))
    ]


def _address(recipient: dict[str, Any]) -> str | None:
    return text(recipient.get("emailAddress")) or None


def _status(recipient: dict[str, Any]) -> str | None:
    return text(recipient.get("status")) or None


_READERS = {"Bounce": _bounced, "Complaint": _complained, "Delivery": _delivered, "DeliveryDelay": _delayed}

"""Amazon SES: a notification that Amazon sent by mail, decoded. Never raises.

https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

from __future__ import annotations

from typing import Any

from kizuna.reports.feedback import meaning
from kizuna.reports.reason import Said, judge
from kizuna.reports.result import BOUNCE, DELAYED, DELIVERED, OTHER, Report, Result

MOST_RESULTS = 1_000


def read(body: Any) -> Report:
    notice = _mapping(body)
    kind = _text(notice.get("notificationType") or notice.get("eventType"))
    reader = _READERS.get(kind)
    results = reader(notice) if reader else []
    headers = _mappings(_mapping(notice.get("mail")).get("headers"))
    about = [
        _text(each.get("value")).strip("<> ") for each in headers if _text(each.get("name")).lower() == "message-id"
    ]
    return Report(results or [Result(None, OTHER)], about)


def _bounced(notice: dict[str, Any]) -> list[Result]:
    bounce = _mapping(notice.get("bounce"))
    kind = bounce.get("bounceType")
    results = [
        judge(_address(each), BOUNCE, Said(diagnostic=_text(each.get("diagnosticCode")), status=_status(each)))
        for each in _mappings(bounce.get("bouncedRecipients"))
    ]
    if kind == "Permanent":  # of the list of addresses that SES itself no longer writes to there is no answer to quote
        return [
            r if r.reason != "other" else Result(r.address, BOUNCE, "unknown_user", r.status, r.reply_code)
            for r in results
        ]
    return results


def _complained(notice: dict[str, Any]) -> list[Result]:
    complaint = _mapping(notice.get("complaint"))
    kind, reason = meaning(_text(complaint.get("complaintFeedbackType")) or "abuse")
    return [Result(_address(each), kind, reason) for each in _mappings(complaint.get("complainedRecipients"))]


def _delivered(notice: dict[str, Any]) -> list[Result]:
    delivery = _mapping(notice.get("delivery"))
    said = Said(diagnostic=_text(delivery.get("smtpResponse")))
    recipients = delivery.get("recipients")
    named = [each for each in recipients if isinstance(each, str)] if isinstance(recipients, list) else []
    return [judge(address, DELIVERED, said) for address in named]


def _delayed(notice: dict[str, Any]) -> list[Result]:
    return [
        judge(_address(each), DELAYED, Said(diagnostic=_text(each.get("diagnosticCode")), status=_status(each)))
        for each in _mappings(_mapping(notice.get("deliveryDelay")).get("delayedRecipients"))
    ]


def _address(recipient: dict[str, Any]) -> str | None:
    return _text(recipient.get("emailAddress")) or None


def _status(recipient: dict[str, Any]) -> str | None:
    return _text(recipient.get("status")) or None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: Any) -> list[dict[str, Any]]:
    found = value if isinstance(value, list) else []
    return [each for each in found[:MOST_RESULTS] if isinstance(each, dict)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


_READERS = {"Bounce": _bounced, "Complaint": _complained, "Delivery": _delivered, "DeliveryDelay": _delayed}

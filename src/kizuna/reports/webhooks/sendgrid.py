"""SendGrid: a list of events, or of rows of its bounce list.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

from __future__ import annotations

from typing import Any

from kizuna.reports.reason import Said, judge
from kizuna.reports.result import BOUNCE, COMPLAINT, DELAYED, DELIVERED, OTHER, Report, Result
from kizuna.reports.webhooks import mappings, text

_KINDS = {"bounce": BOUNCE, "dropped": BOUNCE, "blocked": BOUNCE, "delivered": DELIVERED, "deferred": DELAYED}


def read(body: Any) -> Report:
    events = mappings(body)
    about = [text(each.get("smtp-id")).strip("<> ") for each in events if each.get("smtp-id")]
    return Report([_result(each) for each in events] or [Result(None, OTHER)], list(dict.fromkeys(about)))


def _result(event: dict[str, Any]) -> Result:
    address, name = text(event.get("email")) or None, text(event.get("event"))
    if name == "spamreport":
        return Result(address, COMPLAINT, "abuse")
    kind = _KINDS.get(name, OTHER if name else BOUNCE)
    if kind == OTHER:
        return Result(address, OTHER)
    status = text(event.get("status"))
    said = text(event.get("reason")) or text(event.get("response"))
    return judge(address, kind, Said(diagnostic=said, status=status if "." in status else None))

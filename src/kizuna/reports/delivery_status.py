"""Delivery status notifications (RFC 3464): what happened, by recipient."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kizuna.reports.address import one
from kizuna.reports.mail import read_headers
from kizuna.reports.reason import Said, judge
from kizuna.reports.result import BOUNCE, DELAYED, DELIVERED, OTHER, Result

KINDS = ("message/delivery-status", "message/global-delivery-status")
MOST_RECIPIENTS = 20

_ACTIONS = {
    "failed": BOUNCE, "fail": BOUNCE, "failure": BOUNCE, "expired": BOUNCE, "error": BOUNCE, "delayed": DELAYED,
    "delivered": DELIVERED, "deliverable": DELIVERED, "relayed": DELIVERED, "expanded": DELIVERED,
}  # fmt: skip
_RECIPIENT = ("original-recipient", "final-recipient", "x-actual-recipient", "x-rcpt-to")  # as we wrote it first
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


def read(text: str, human: str) -> list[Result]:
    """`human` is what the report says to people: where a block gives no reason, it may."""
    results: list[Result] = []
    for block in _blocks(text):
        if len(results) < MOST_RECIPIENTS and (result := _result(block, human)):
            results.append(result)
    return results


def _blocks(text: str) -> Iterable[dict[str, list[str]]]:
    """Those about a recipient; the first is about the mail as a whole, but some leave out the blank line after it."""
    for block in text.split("\n\n"):
        lines = block.strip("\n")
        if lines:
            yield read_headers(lines)


def _result(block: dict[str, list[str]], human: str) -> Result | None:
    def value(name: str) -> str:
        return block.get(name, [""])[0]

    address = next((found for name in _RECIPIENT if (found := one(value(name)))), None)
    action = value("action").lower().split(" ")[0]
    status = found.group() if (found := _STATUS.search(value("status"))) else None
    if address is None and not action and status is None:
        return None
    kind = _ACTIONS.get(action, OTHER if action else BOUNCE)
    if kind == OTHER and status is not None:
        kind = {"2": DELIVERED, "4": DELAYED}.get(status[0], BOUNCE)
    diagnostic = " ".join(block.get("diagnostic-code", []))
    return judge(
        address, kind, Said(diagnostic=diagnostic, status=status, comment=value("status"), human=human, action=action)
    )

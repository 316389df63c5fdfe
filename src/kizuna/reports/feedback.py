"""Feedback reports (RFC 5965): somebody complained about a mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kizuna.reports.address import addresses, one
from kizuna.reports.mail import read_headers
from kizuna.reports.result import COMPLAINT, OTHER, Result

KIND = "message/feedback-report"
MOST_RECIPIENTS = 20

_TYPES = {
    "abuse": (COMPLAINT, "abuse"), "fraud": (COMPLAINT, "fraud"), "virus": (COMPLAINT, "virus"),
    "opt-out": (COMPLAINT, "opt_out"), "opt-out-list": (COMPLAINT, "opt_out"), "miscategorized": (OTHER, "not_spam"),
    "auth-failure": (OTHER, "authentication_failure"), "not-spam": (OTHER, "not_spam"),
}  # fmt: skip


def read(text: str, returned: Mapping[str, Sequence[str]]) -> list[Result]:
    """`returned` are the headers of the mail complained about."""
    fields = read_headers(text.strip("\n").replace("\n\n", "\n"))
    kind, reason = meaning(fields.get("feedback-type", ["abuse"])[0])
    named = fields.get("original-rcpt-to", []) + fields.get("removal-recipient", [])
    found = [address for value in named[:MOST_RECIPIENTS] if (address := one(value))]
    if not found:
        found = [address for value in returned.get("to", []) for address in addresses(value)][:1]
    return [Result(address, kind, reason) for address in dict.fromkeys(found)] or [Result(None, kind, reason)]


def meaning(feedback_type: str) -> tuple[str, str]:
    """(kind, reason): what is not said by a person about a mail is no complaint."""
    return _TYPES.get(feedback_type.strip().lower(), (OTHER, "other_feedback"))

"""What a link that confirms is worth: only the one who was asked, at their address, in time, and not after a no."""

from __future__ import annotations

from typing import Any

import pytest

from kizuna.consent.section import Asked, Consent
from kizuna.consent.standing import Act, Standing
from kizuna.messages.confirmation import BLOCKED, DONE, OPEN, OVER, worth

ADA, NOW = "ada@example.com", 1_000
WAITING: dict[str, Any] = {"topics": {"email": {"news": "pending"}}, "asked": {"email/news": Asked(NOW + 1, (1,))}}
STOPPED: dict[str, Any] = {"channels": {"email": "opted_out"}}
IN: dict[str, Any] = {"topics": {"email": {"news": "opted_in"}}}


@pytest.mark.parametrize(
    ("section", "changes", "wanted"),
    [
        (WAITING, {}, OPEN),
        (WAITING, {"address": "ADA@example.com"}, OPEN),
        (WAITING, {"now": NOW + 1}, OVER),
        (WAITING, {"address": "new@example.com"}, OVER),
        (WAITING, {"address": None}, OVER),
        (WAITING, {"sent_to": None, "address": None}, OVER),
        (WAITING, {"topic": None}, OVER),
        (WAITING, {"topic": "offers"}, OVER),
        (WAITING, {"vetoes": {("email", "news")}}, OVER),
        (WAITING, {"vetoes": {("email", "")}}, OVER),
        (WAITING, {"vetoes": {("sms", ""), ("email", "offers")}}, OPEN),
        (IN, {}, DONE),
        (IN, {"address": "new@example.com"}, DONE),
        (IN, {"vetoes": {("email", "news")}}, OVER),
        ({**IN, **STOPPED}, {}, BLOCKED),
        ({**IN, **STOPPED}, {"address": "new@example.com"}, OVER),
        ({**WAITING, **STOPPED}, {}, OPEN),
        (STOPPED, {"topic": None}, OVER),
        ({**IN, "stands": {"email/news": Standing(latest=Act(1, 0, "opted_in", until=NOW))}}, {}, OVER),
        ({}, {}, OVER),
    ],
)
def test_what_a_link_is_worth(section: dict[str, Any], changes: dict[str, Any], wanted: str) -> None:
    asked: dict[str, Any] = {
        "vetoes": set(), "channel": "email", "topic": "news", "sent_to": ADA, "address": ADA, "now": NOW, **changes,
    }  # fmt: skip
    assert worth(Consent(**section), **asked) == wanted

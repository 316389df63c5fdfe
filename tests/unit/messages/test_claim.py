"""The claim at quiet hours: it hands back or refuses, and never grants."""

from __future__ import annotations

from datetime import time
from typing import Any

from kizuna.consent.section import Consent
from kizuna.consent.standing import Act, Standing
from kizuna.core.clock import HOUR, MINUTE
from kizuna.engine.slice import Workspace
from kizuna.messages.claim import Deferred, Person, Refused, decide, defer
from kizuna.messages.message import Claimed
from kizuna.messages.policy import Policy
from kizuna.messages.quiet_hours import QuietHours

MIDNIGHT = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
EVENING, MORNING = MIDNIGHT + 22 * HOUR, MIDNIGHT + 32 * HOUR
NIGHT = Policy(quiet_hours=QuietHours(time(21), time(8)))
TEST = Workspace(1, "shop", "test", "UTC", "JPY", "opt_out")
LIVE = Workspace(1, "shop", "live", "UTC", "JPY", "opt_out")


def a_message(**changes: Any) -> Claimed:
    given: dict[str, Any] = {
        "workspace": 1, "id": b"m" * 16, "profile": b"a" * 16, "channel": "email", "template": "hello",
        "template_version": 1, "topic": None, "transactional": False, "journey": None, "run": None, "step": None,
        "campaign": None, "variant": None, "data": {}, "event": None, "due_at": EVENING,
        "expires_at": MORNING + HOUR, "root": 1, "attempts": 0, "fence": 0, "reason": None, "caused_by": None,
    }  # fmt: skip
    return Claimed(**{**given, **changes})


def ada(zone: str = "") -> Person:
    return Person(id=b"a" * 16, traits={"email": "ada@example.com"}, consent=Consent(), zone=zone)


def test_what_quiet_hours_overtook_is_handed_back_until_their_end() -> None:
    assert defer(a_message(), ada(), NIGHT, EVENING, TEST) == Deferred(MORNING)
    assert defer(a_message(), ada(), NIGHT, MORNING, TEST) is None
    found = defer(a_message(), ada(), NIGHT, EVENING, LIVE)
    assert isinstance(found, Deferred)
    assert MORNING <= found.until < MORNING + 10 * MINUTE


def test_the_customers_own_night_counts() -> None:
    assert defer(a_message(), ada("America/New_York"), NIGHT, EVENING, TEST) is None
    assert defer(a_message(), ada("Asia/Tokyo"), NIGHT, MIDNIGHT, TEST) is None


def test_what_would_expire_or_may_not_wait_is_refused() -> None:
    refused = Refused("skipped", "quiet_hours_expired")
    assert defer(a_message(expires_at=MORNING - 1), ada(), NIGHT, EVENING, TEST) == refused
    assert defer(a_message(expires_at=MORNING), ada(), NIGHT, EVENING, TEST) == Deferred(MORNING)
    assert (
        defer(a_message(), ada(), Policy(quiet_hours=QuietHours(time(21), time(8), "skip")), EVENING, TEST) == refused
    )


def test_receipts_go_at_any_hour() -> None:
    assert defer(a_message(transactional=True), ada(), NIGHT, EVENING, TEST) is None
    assert defer(a_message(), ada(), None, EVENING, TEST) is None


def test_an_opt_in_that_ran_out_since_it_was_planned_is_refused_whatever_neutral_means() -> None:
    section = Consent(
        channels={"email": "opted_in"}, stands={"email": Standing(latest=Act(1, 0, "opted_in", until=EVENING))}
    )
    person = Person(id=b"a" * 16, traits={"email": "ada@example.com"}, consent=section)
    for neutral in ("opt_out", "opt_in"):
        assert decide(a_message(), person, set(), set(), EVENING - 1, neutral) == "ada@example.com"
        assert decide(a_message(), person, set(), set(), EVENING, neutral) == Refused("skipped", "no_consent")
    receipt = a_message(transactional=True)
    assert decide(receipt, person, set(), set(), EVENING, "opt_in") == "ada@example.com"

from __future__ import annotations

from typing import Any

import pytest

from kizuna.consent.decide import refusal, state
from kizuna.consent.section import Consent


@pytest.mark.parametrize(
    ("whole", "part", "default", "wanted"),
    [
        (None, None, "opt_out", None),
        (None, None, "opt_in", "no_consent"),
        ("opted_in", None, "opt_in", None),
        (None, "opted_in", "opt_in", None),
        ("pending", "opted_in", "opt_in", None),
        ("pending", None, "opt_out", "no_consent"),
        (None, "pending", "opt_out", "no_consent"),
        ("opted_in", "opted_out", "opt_out", "no_consent"),
        ("opted_out", "opted_in", "opt_out", "no_consent"),
        ("opted_in", "pending", "opt_in", "no_consent"),
    ],
)
def test_a_send_needs_the_channel_not_out_and_the_topic_in(
    whole: str | None, part: str | None, default: str, wanted: str | None
) -> None:
    section = Consent(channels={"email": whole} if whole else {}, topics={"email": {"news": part}} if part else {})
    assert refusal(section, "email", "news", False, default) == wanted
    assert refusal(section, "email", "news", True, default) is None


def test_a_channel_wide_opt_out_leaves_topic_states() -> None:
    section = Consent(channels={"email": "opted_out"}, topics={"email": {"news": "opted_in"}})
    assert state(section, "email") == "opted_out"
    assert state(section, "email", "news") == "opted_in"
    assert state(section, "sms") == "neutral"


@pytest.mark.parametrize(
    ("reason", "address", "transactional", "wanted"),
    [
        ("hard_bounce", "ada@example.com", True, "suppressed"),
        ("hard_bounce", "ADA@example.com", False, "suppressed"),
        ("hard_bounce", "new@example.com", False, None),
        ("complaint", "new@example.com", False, "suppressed"),
        ("complaint", "ada@example.com", True, None),
    ],
)
def test_suppressions(reason: str, address: str, transactional: bool, wanted: Any) -> None:
    section = Consent(suppressed={"email": reason}, suppressed_address={"email": "ada@example.com"})
    assert refusal(section, "email", None, transactional, "opt_out", address) == wanted

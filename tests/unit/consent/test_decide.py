from __future__ import annotations

import itertools
from typing import Any

import pytest

from kizuna.consent.decide import STATES, in_force, refusal, state
from kizuna.consent.section import Consent
from kizuna.consent.standing import Act, Standing


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
    assert refusal(section, "email", "news", False, default, now=0) == wanted
    assert refusal(section, "email", "news", True, default, now=0) is None


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
    assert refusal(section, "email", None, transactional, "opt_out", address, now=0) == wanted


NOW = 1_000
STATE = (None, *STATES)
LAPSES = (0, NOW, NOW + 1)  # never, at this very instant, a moment later


def allowed(whole: str | None, part: str | None, lapses: tuple[int, int], neutral: str) -> bool:
    """The rule in the words of the specification, on its own: out wins, an unanswered topic waits, a yes that has not
    run out allows, one that has is a no, and silence is what neutral means."""
    if whole == "opted_out" or part in ("opted_out", "pending"):
        return False
    yes = [until for said, until in ((whole, lapses[0]), (part, lapses[1])) if said == "opted_in"]
    if any(until == 0 or until > NOW for until in yes):
        return True
    return not yes and whole != "pending" and neutral == "opt_out"


@pytest.mark.parametrize("neutral", ["opt_out", "opt_in"])
@pytest.mark.parametrize("transactional", [False, True])
@pytest.mark.parametrize("suppressed", [None, "complaint", "hard_bounce", "soft_bounces"])
@pytest.mark.parametrize("address", ["ada@example.com", "new@example.com"])
def test_every_combination_is_decided_as_the_rule_says(
    neutral: str, transactional: bool, suppressed: str | None, address: str
) -> None:
    seen = 0
    for whole, part, until, until_part in itertools.product(STATE, STATE, LAPSES, LAPSES):
        stands = {
            key: Standing(latest=Act(1, 0, said, until=end if said == "opted_in" else 0))
            for key, said, end in (("email", whole, until), ("email/news", part, until_part))
            if said and said != "opted_out"
        }
        section = Consent(
            channels={"email": whole} if whole else {},
            topics={"email": {"news": part}} if part else {},
            suppressed={"email": suppressed} if suppressed else {},
            suppressed_address={"email": "ada@example.com"} if suppressed and suppressed != "complaint" else {},
            stands=stands,
        )
        is_blocked = (suppressed == "complaint" and not transactional) or (
            suppressed in ("hard_bounce", "soft_bounces") and address == "ada@example.com"
        )
        may = transactional or allowed(whole, part, (until, until_part), neutral)
        wanted = "suppressed" if is_blocked else None if may else "no_consent"
        said = refusal(section, "email", "news", transactional, neutral, address, now=NOW)
        assert said == wanted, (whole, part, until, until_part)
        seen += 1
    assert seen == 225


@pytest.mark.parametrize(
    ("whole", "part", "wanted"),
    [
        (None, None, ("neutral", None)),
        ("opted_in", None, ("opted_in", b"w")),
        (None, "opted_in", ("opted_in", b"t")),
        ("opted_in", "opted_in", ("opted_in", b"t")),
    ],
)
def test_what_allows_a_message_is_named_the_topic_before_the_channel(
    whole: str | None, part: str | None, wanted: tuple[str, bytes | None]
) -> None:
    stands = {}
    if whole:
        stands["email"] = Standing(latest=Act(1, 0, whole, b"w"))
    if part:
        stands["email/news"] = Standing(latest=Act(1, 0, part, b"t"))
    section = Consent(
        channels={"email": whole} if whole else {}, topics={"email": {"news": part}} if part else {}, stands=stands
    )
    assert in_force(section, "email", "news", NOW) == wanted


def test_a_topic_that_ran_out_leaves_the_word_to_its_channel() -> None:
    section = Consent(
        channels={"email": "opted_in"},
        topics={"email": {"news": "opted_in"}},
        stands={
            "email": Standing(latest=Act(1, 0, "opted_in", b"w")),
            "email/news": Standing(latest=Act(1, 0, "opted_in", b"t", until=NOW)),
        },
    )
    assert in_force(section, "email", "news", NOW - 1) == ("opted_in", b"t")
    assert in_force(section, "email", "news", NOW) == ("opted_in", b"w")

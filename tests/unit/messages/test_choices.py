from __future__ import annotations

from kizuna.consent.section import Consent
from kizuna.messages.choices import chosen, reaches

MAIL = {"email": "a@b.example"}
NOW = 1_000


def shown(
    consent: Consent, topics: dict[str, dict[str, str]], neutral: str = "opt_out"
) -> dict[str, tuple[bool, bool]]:
    (reach,) = reaches(consent, MAIL, topics, lambda said, *_: said or neutral, NOW)
    return {line.topic: (line.is_received, line.is_open) for line in reach.lines}


def test_what_no_choice_means_is_said_by_the_topic_else_by_the_workspace() -> None:
    topics = {"news": {}, "offers": {"default": "opt_in"}}
    assert shown(Consent(), topics) == {"": (True, True), "news": (True, True), "offers": (False, True)}
    assert shown(Consent(), topics, "opt_in") == {"": (False, True), "news": (False, True), "offers": (False, True)}


def test_topics_of_a_channel_that_is_stopped_are_not_to_be_chosen() -> None:
    consent = Consent(channels={"email": "opted_out"}, topics={"email": {"news": "opted_in"}})
    assert shown(consent, {"news": {}}) == {"": (False, True), "news": (False, False)}


def test_a_topic_that_is_no_more_is_shown_to_those_who_chose_about_it() -> None:
    assert shown(Consent(topics={"email": {"gone": "opted_out"}}), {})["gone"] == (False, True)


def test_an_address_that_bounced_is_named_as_the_reason_and_is_no_choice() -> None:
    consent = Consent(suppressed={"email": "hard_bounce"}, suppressed_address={"email": "a@b.example"})
    (reach,) = reaches(consent, MAIL, {}, lambda *_: "opt_out", NOW)
    assert reach.is_blocked
    assert reach.lines[0].is_received
    (moved,) = reaches(consent, {"email": "new@b.example"}, {}, lambda *_: "opt_out", NOW)
    assert not moved.is_blocked


def test_what_was_accepted_is_laid_over_what_is_folded_and_changes_nothing_of_it() -> None:
    folded = Consent(channels={"email": "opted_in"}, topics={"email": {"news": "opted_in"}})
    over = chosen(folded, [("email", "news"), ("push", "")], "opted_out")
    assert over.topics == {"email": {"news": "opted_out"}}
    assert over.channels == {"email": "opted_in", "push": "opted_out"}
    assert folded.topics == {"email": {"news": "opted_in"}}

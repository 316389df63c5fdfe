from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kizuna.consent.section import Consent
from kizuna.consent.terms import Place, Terms
from kizuna.messages.sql_shelf import Lying
from kizuna.shelves.stays import Rules, is_over, is_welcome

LAX = Rules({}, "opt_out")


def a_card(**changes: Any) -> Lying:
    card = Lying(
        b"m" * 16, b"p" * 16, "card", "Title", "<p>Hi</p>", b'{"display":{"once":true},"buttons":[]}', 1, 9, None, None,
        None, False, "hello", None, None, None, None, None, "news", False,
    )  # fmt: skip
    return msgspec.structs.replace(card, **changes)


@pytest.mark.parametrize(
    ("consent", "vetoes", "is_so"),
    [
        (Consent(), set(), True),
        (Consent(channels={"card": "opted_out"}), set(), False),
        (Consent(channels={"inbox": "opted_out"}), set(), True),
        (Consent(topics={"card": {"news": "opted_out"}}), set(), False),
        (Consent(topics={"card": {"sales": "opted_out"}}), set(), True),
        (Consent(), {("card", "")}, False),
        (Consent(), {("card", "news")}, False),
        (Consent(), {("card", "sales"), ("inbox", "")}, True),
    ],
)
def test_an_opt_out_makes_it_unwelcome(consent: Consent, vetoes: set[tuple[str, str]], is_so: bool) -> None:
    assert is_welcome(a_card(), consent, vetoes, LAX, {}, 0) is is_so
    assert is_welcome(a_card(transactional=True), consent, vetoes, LAX, {}, 0)


def test_what_no_choice_means_is_the_topics_then_the_workspaces() -> None:
    def is_ok(by_topic: dict[str, str], general: str, consent: Consent = Consent()) -> bool:  # noqa: B008  # never changed
        return is_welcome(a_card(), consent, set(), Rules(by_topic, general), {}, 0)

    assert not is_ok({}, "opt_in")
    assert is_ok({"news": "opt_out"}, "opt_in")
    assert not is_ok({"news": "opt_in"}, "opt_out")
    assert is_ok({}, "opt_in", Consent(channels={"card": "opted_in"}))


def test_a_law_of_the_policy_makes_it_stricter_where_it_holds() -> None:
    rules = Rules({"news": "opt_out"}, "opt_out", Terms(laws=(Place("gdpr", country="DE"),)))
    for country, is_so in (("DE", False), ("JP", True)):
        assert is_welcome(a_card(), Consent(), set(), rules, {"country": country}, 0) is is_so
    assert is_welcome(a_card(), Consent(channels={"card": "opted_in"}), set(), rules, {"country": "DE"}, 0)
    assert is_welcome(a_card(transactional=True), Consent(), set(), rules, {"country": "DE"}, 0)


def test_what_is_to_be_shown_once_is_over_when_it_was_seen() -> None:
    seen = a_card(channel="in_app", seen_at=5)
    assert is_over(seen)
    assert not is_over(a_card(channel="in_app"))
    assert not is_over(a_card(seen_at=5))
    assert not is_over(msgspec.structs.replace(seen, item=b'{"display":{"once":false}}'))

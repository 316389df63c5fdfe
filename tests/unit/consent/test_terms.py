"""What a policy says about consent: read with its mistakes, and the law that holds where."""

from __future__ import annotations

from typing import Any

import pytest

from kizuna.consent.terms import Terms, read_terms
from kizuna.core.problems import Problems

SENDER = {"name": "Shop", "address": "1 Main St", "contact": "help@shop.example"}


def terms(**said: Any) -> Terms:
    problems = Problems()
    found = read_terms({"sender": SENDER, **said}, problems)
    assert not problems.found, problems.found
    return found


def wrong(**said: Any) -> list[tuple[str, str]]:
    problems = Problems()
    read_terms(said, problems)
    return [(each.pointer, each.code) for each in problems.found]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"law": "mars"}, [("/law", "unknown_law")]),
        ({"law": []}, [("/law", "unknown_law")]),
        ({"laws": {}}, [("/laws", "not_a_list")]),
        ({"laws": [{"country": "jp", "law": "custom"}]}, [("/laws/0/country", "invalid")]),
        ({"laws": [{"channel": 1, "law": "custom"}]}, [("/laws/0/channel", "not_text")]),
        ({"laws": [{"law": "custom", "where": "x"}]}, [("/laws/0/where", "unknown_field")]),
        ({"keep_ip": "yes"}, [("/keep_ip", "not_a_boolean")]),
        ({"sender": {"name": 1}}, [("/sender/name", "not_text")]),
        ({"double_opt_in": {}}, [("/double_opt_in/template", "required")]),
        ({"double_opt_in": {"template": "x", "most": 0}}, [("/double_opt_in/most", "invalid")]),
        ({"double_opt_in": {"template": "x", "expires": "soon"}}, [("/double_opt_in/expires", "invalid_duration")]),
        ({"law": "gdpr"}, [("/sender/name", "legal_display_missing")]),
        (
            {"law": "jp", "sender": {"name": "Shop"}},
            [("/sender/address", "legal_display_missing"), ("/sender/contact", "legal_display_missing")],
        ),
        ({"laws": [{"channel": "sms", "law": "jp"}]}, []),  # what must be shown is looked for in mail
    ],
)
def test_what_is_wrong_is_named_with_its_place(said: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert wrong(**said) == found


@pytest.mark.parametrize(
    ("country", "channel", "topic", "neutral"),
    [
        ("US", "email", None, "opt_out"),
        ("US", "sms", None, "opt_in"),
        ("CA", "email", None, "opt_in"),
        ("JP", "email", "news", "opt_in"),
        ("", "email", None, "opt_in"),
        ("JP", "email", "free", "opt_out"),
    ],
)
def test_the_first_place_that_holds_decides(country: str, channel: str, topic: str | None, neutral: str) -> None:
    ruling = terms(
        law="jp",
        laws=[
            {"topic": "free", "law": "custom"},
            {"country": "US", "channel": "email", "law": "can_spam"},
            {"country": "CA", "law": "casl"},
        ],
    )
    assert ruling.neutral("opt_out", channel, topic, {"country": country} if country else {}) == neutral


def test_a_law_is_never_laxer_than_the_workspace() -> None:
    assert terms(law="can_spam").neutral("opt_in", "email", None, {}) == "opt_in"

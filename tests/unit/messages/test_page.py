from __future__ import annotations

import re

import pytest

from kizuna.consent.section import Consent
from kizuna.messages.choices import reaches
from kizuna.messages.page import language, plain, preferences, unsubscribe, unsubscribed


@pytest.mark.parametrize(
    ("header", "wanted"),
    [("", "en"), ("ja", "ja"), ("ja-JP,ja;q=0.9,en;q=0.5", "ja"), ("en,ja;q=0.5", "en"), ("fr,ja;q=0.2", "ja"),
     ("fr;q=0.1", "en"), ("ja;q=0", "en"), ("en;q=0.3,ja;q=0.9", "ja"), (";;;,,,q=", "en")],
)  # fmt: skip
def test_the_page_speaks_the_language_of_its_reader(header: str, wanted: str) -> None:
    assert language(header) == wanted


@pytest.mark.parametrize(
    ("locale", "wanted"), [("ja-JP", "ja"), ("ja_JP", "ja"), ("EN", "en"), ("fr-FR", "ja"), ("jam", "ja"), ("", "ja")]
)
def test_a_language_of_the_customer_stands_before_that_of_the_browser(locale: str, wanted: str) -> None:
    assert language("ja", locale) == wanted


def test_pages_escape_what_they_show() -> None:
    hostile = '"><script>alert(1)</script>'
    topics = {hostile: {"title": hostile, "description": hostile}}
    found = reaches(
        Consent(topics={hostile: {hostile: "opted_out"}}),
        {"email": None, hostile: None},
        topics,
        lambda *_: "opt_out",
        0,
    )
    shown = (unsubscribe("en", hostile, hostile), unsubscribed("ja", hostile), preferences("ja", found), plain(hostile))
    assert [page for page in shown if "<script>" in page] == []


def test_each_line_is_a_form_that_says_the_whole_choice() -> None:
    found = reaches(
        Consent(), {"email": "a@b.example", "push": None}, {"news": {}}, lambda said, *_: said or "opt_out", 0
    )
    page = preferences("en", found, saved=("push", "news"))
    labels = re.findall(r'aria-label="([^"]+)"', page)
    assert labels == [
        f"Stop: {title} ({channel})" for channel in ("Mail", "Push notifications") for title in ("All messages", "news")
    ]
    assert page.count("<form") == page.count('name="channel"') == page.count('name="topic"') == 4
    assert "<title>Your choice is saved. Your choices</title>" in page
    assert page.count("autofocus") == 1

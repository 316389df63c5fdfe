from __future__ import annotations

import pytest

from kizuna.messages.page import Choosable, language, preferences, unsubscribe


@pytest.mark.parametrize(
    ("header", "wanted"),
    [("", "en"), ("ja", "ja"), ("ja-JP,ja;q=0.9,en;q=0.5", "ja"), ("en,ja;q=0.5", "en"), ("fr,ja;q=0.2", "ja"),
     ("fr;q=0.1", "en"), ("ja;q=0", "en"), ("en;q=0.3,ja;q=0.9", "ja"), (";;;,,,q=", "en")],
)  # fmt: skip
def test_the_page_speaks_the_language_of_its_reader(header: str, wanted: str) -> None:
    assert language(header) == wanted


def test_pages_escape_what_they_show() -> None:
    topic = '"><script>alert(1)</script>'
    for shown in (unsubscribe("en", topic), preferences("ja", [Choosable(topic, "neutral")], saved=False)):
        assert "<script>" not in shown

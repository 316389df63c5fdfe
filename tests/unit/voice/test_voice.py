from __future__ import annotations

from typing import Any

import pytest

from kizuna.core.errors import Invalid
from kizuna.voice.voice import read


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"avoid": ["cheap"]}, "/avoid/0"), ({"use": [""]}, "/use"),
        ({"lengths": {"sms": {"body": 0}}}, "/lengths/sms"),
        ({"locales": {"ja": {"reading": {"kanji_share": 40}}}}, "/locales/ja/reading/kanji_share"),
        ({"tone": 1}, "/tone"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(body: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as error:
        read(body)
    assert [each.pointer for each in error.value.errors] == [pointer]


def test_a_locale_adds_words_and_sets_lengths_of_its_own() -> None:
    voice = read({
        "avoid": [{"word": "cheap"}], "lengths": {"email": {"subject": 60}, "sms": {"body": 160}},
        "reading": {"grade": 8}, "locales": {"ja": {"avoid": [{"word": "格安"}], "lengths": {"sms": {"body": 70}}}},
    })  # fmt: skip
    rules = voice.rules("ja-JP")
    assert [each.word for each in rules.avoid] == ["cheap", "格安"]
    assert (rules.lengths["email"].subject, rules.lengths["sms"].body, rules.reading.grade) == (60, 70, 8)
    assert [each.word for each in voice.rules("en").avoid] == ["cheap"]

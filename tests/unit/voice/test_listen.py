from __future__ import annotations

from typing import Any

import pytest

from kizuna.voice.listen import warnings_of
from kizuna.voice.voice import read


def heard(body: dict[str, Any], text: str, *, subject: str | None = None, locale: str = "en") -> list[str]:
    return [each.removeprefix("brand voice: ") for each in warnings_of(read(body), locale, "email", subject, text)]


def test_a_word_to_avoid_is_found_by_itself_and_with_what_to_say_instead() -> None:
    rules = {"avoid": [{"word": "cheap", "use": "affordable"}, {"word": "激安"}]}
    assert heard(rules, "Cheap! And cheaper.") == ["avoid 'cheap', say 'affordable'"]
    assert heard(rules, "cheaper, cheapest") == []
    assert heard(rules, "本日激安です", locale="ja") == ["avoid '激安'"]


def test_a_word_is_written_as_it_is_spelled() -> None:
    assert heard({"use": ["Kizuna"]}, "Kizuna and KIZUNA") == ["write 'Kizuna', not 'KIZUNA'"]
    assert heard({"use": ["Kizuna"]}, "nothing of it") == []


def test_signs_and_lengths() -> None:
    rules = {"forbidden": ["!!!"], "lengths": {"email": {"subject": 5, "body": 10}}}
    assert heard(rules, "Now!!! Buy it", subject="Hurry up") == [
        "'!!!' is not written", "the subject has 8 characters, at most 5 on email",
        "the body has 13 characters, at most 10 on email",
    ]  # fmt: skip
    assert heard(rules, "Now!! Buy.", subject="Hello") == []


@pytest.mark.parametrize(("locale", "finds"), [("ja", 2), ("", 2), ("en", 0)])
def test_japanese_is_judged_by_its_own_measures(locale: str, finds: int) -> None:
    rules = {"reading": {"sentence_length": 10, "kanji_share": 0.3, "grade": 5}}
    assert len(heard(rules, "弊社商品購入者限定特別割引実施中。", locale=locale)) == finds

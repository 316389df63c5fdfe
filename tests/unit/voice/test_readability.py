from __future__ import annotations

import pytest

from kizuna.voice.readability import grade, kanji_share, sentence_length, syllables


@pytest.mark.parametrize(
    ("word", "count"),
    [("cat", 1), ("table", 2), ("make", 1), ("reading", 2), ("the", 1), ("free", 1), ("beautiful", 3), ("hmm", 1)],
)
def test_syllables_are_runs_of_vowels(word: str, count: int) -> None:
    assert syllables(word) == count


def test_the_grade_is_that_of_the_formula() -> None:
    """4 sentences, 24 words, 24 syllables: 0.39 * 6 + 11.8 * 1 - 15.59."""
    text = "The cat sat on the mat. The dog ran to the man. We had tea in the sun. It was a good day then. "
    assert grade(text) == pytest.approx(0.39 * 6 + 11.8 - 15.59)
    assert grade("Too short to tell.") is None


def test_long_words_and_sentences_raise_the_grade() -> None:
    plain = "We sell tea. You can buy it here. It is good. We send it to you soon. Write to us if you do not like it."
    heavy = (
        "Notwithstanding considerable organisational difficulties, our international representatives continuously "
        "endeavour to accommodate individual requirements regarding complimentary accessories, "
        "extraordinary documentation and additional services."
    )
    assert (grade(plain) or 0) < 4 < 15 < (grade(heavy) or 0)


def test_japanese_is_measured_by_the_length_of_sentences_and_the_share_of_kanji() -> None:
    assert sentence_length("今日は、雨です。明日は晴れ！") == pytest.approx((6 + 5) / 2)
    assert kanji_share("漢字とかな") == pytest.approx(2 / 5)
    assert (sentence_length("。。"), kanji_share("abc")) == (None, None)

"""What is said of new rows is read as it was meant."""

from __future__ import annotations

from typing import Any

from kizuna.engine import word


def test_a_word_names_the_places_in_which_somebody_waits() -> None:
    assert word.read([said(word.say(3, [7, 5])), said(word.say(4, [7]))]) == {(3, 5), (3, 7), (4, 7)}


def test_most_words_name_none() -> None:
    assert word.read(["", said(word.say(3, []))]) == set()


def said(statement: Any) -> str:
    _, (channel, text) = statement
    assert channel == word.CHANNEL
    return text

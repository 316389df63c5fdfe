from __future__ import annotations

from typing import Any

import pytest

from kizuna.core.clock import DAY, HOUR
from kizuna.core.problems import Problems
from kizuna.messages.answer import BEFORE, LANGUAGES, MOST_A_DAY, OFTEN, kept, read_answers, refusal, text_of
from kizuna.messages.keyword import HELP, START, STOP
from kizuna.messages.section import Answered

NOBODY_IN = -1


def test_an_opt_out_is_confirmed_once_and_the_next_one_again() -> None:
    first = Answered(STOP, 0, NOBODY_IN)
    assert refusal([], first) is None
    assert refusal([first], Answered(STOP, 90 * DAY, NOBODY_IN)) == BEFORE
    assert refusal([first], Answered(STOP, 90 * DAY, 7)) is None  # they had come back meanwhile
    assert refusal([first], Answered(START, 1, 7)) is None


def test_so_many_a_day_and_no_more_whatever_the_word() -> None:
    said = [Answered(HELP, at * HOUR, NOBODY_IN) for at in range(MOST_A_DAY)]
    assert refusal(said[:-1], Answered(HELP, 23 * HOUR, NOBODY_IN)) is None
    assert refusal(said, Answered(START, 23 * HOUR, NOBODY_IN)) == OFTEN
    assert refusal(said, Answered(START, DAY, NOBODY_IN)) is None


def test_a_record_keeps_few_of_them() -> None:
    said = [Answered(STOP, 0, 1), Answered(STOP, 1, 2), *(Answered(HELP, at, 2) for at in range(2, 9))]
    assert kept(said, 30 * DAY) == [said[1]]
    assert refusal(kept(said, 30 * DAY), Answered(STOP, 30 * DAY, 2)) == BEFORE


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("keyword", [HELP, STOP, START])
def test_the_usual_words_name_the_shop_and_the_way(keyword: str, language: str) -> None:
    for contact in ("", "https://shop.example/contact"):
        text = text_of({}, keyword, language, "Kizuna {Coffee}", contact) or ""
        assert text.startswith("Kizuna {Coffee}")
        assert contact in text or keyword != HELP
        assert {HELP: ("STOP", "停止"), STOP: ("START", "再開"), START: ("STOP", "停止")}[keyword][
            LANGUAGES.index(language)
        ] in text
        assert len(text) <= (160 if language == "en" else 140)


def test_a_policy_words_them_by_language_and_silences_them() -> None:
    answers = read_answers({"help": "Call us {now}", "stop": {"ja": "はい"}, "start": False}, "/answers", Problems())
    assert {text_of(answers, HELP, each, "Shop", "") for each in LANGUAGES} == {"Call us {now}"}
    assert text_of(answers, STOP, "ja", "Shop", "") == "はい"
    assert text_of(answers, STOP, "en", "Shop", "") is None
    assert text_of(answers, START, "ja", "Shop", "") is None


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [([], "/answers"), ({"halt": "x"}, "/answers/halt"), ({"stop": 7}, "/answers/stop"),
     ({"stop": " "}, "/answers/stop"), ({"stop": True}, "/answers/stop"), ({"stop": {"fr": "non"}}, "/answers/stop/fr"),
     ({"stop": {"en": "x" * 481}}, "/answers/stop/en"), ({"stop": {"en": None}}, "/answers/stop/en")],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_at_its_place(raw: Any, pointer: str) -> None:
    reader = Problems()
    read_answers(raw, "/answers", reader)
    assert pointer in [each.pointer for each in reader.found]

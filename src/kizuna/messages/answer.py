"""What STOP, START and HELP by SMS are answered with, and whether they still are. Pure.

An opt-out may be confirmed once, and whoever texts us may be a machine that answers what it gets: so it is said once
for an opt-out, and only so often a day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kizuna.core.clock import DAY
from kizuna.core.problems import Problems
from kizuna.messages.keyword import HELP, START, STOP
from kizuna.messages.section import Answered

LANGUAGES = ("en", "ja")  # of the words that we know
LONGEST = 480  # characters: three segments at most where each has 160
MOST_A_DAY = 5  # of one customer
EXPIRES = "5m"  # later nobody knows what it answers; laws that allow to confirm an opt-out allow it as long
BEFORE, OFTEN = "answered_before", "answered_often"  # why a word is not answered

_USUAL = {
    HELP: {
        "en": "{name}: for help, {contact}. Reply STOP to get no more texts.",
        "ja": "{name}です。{contact}配信停止をご希望の場合は「停止」とご返信ください。",
    },
    STOP: {
        "en": "{name}: you will get no more texts. Reply START to get them again.",
        "ja": "{name}です。配信を停止しました。再開をご希望の場合は「再開」とご返信ください。",
    },
    START: {
        "en": "{name}: you will get our texts again. Reply HELP for help, STOP to stop.",
        "ja": "{name}です。配信を再開しました。停止をご希望の場合は「停止」とご返信ください。",
    },
}
_CONTACT = {"en": "write to {contact}", "ja": "お問い合わせ先: {contact} "}
_NO_CONTACT = {"en": "contact us", "ja": ""}

Answers = Mapping[str, Mapping[str, str]]  # by keyword, then language; without a language: not answered in it


def read_answers(raw: Any, pointer: str, reader: Problems) -> Answers:
    """Those of a policy: for each keyword a text, one for each language, or false; what is left out is as usual."""
    said = reader.object(raw, pointer, tuple(_USUAL)) if raw is not None else {}
    return {keyword: _texts(text, f"{pointer}/{keyword}", reader) for keyword, text in said.items()}


def _texts(raw: Any, pointer: str, reader: Problems) -> dict[str, str]:
    if raw is False:
        return {}
    texts = dict.fromkeys(LANGUAGES, raw) if isinstance(raw, str) else reader.object(raw, pointer, LANGUAGES)
    for language, text in texts.items():
        if not isinstance(text, str) or not 0 < len(text.strip()) <= LONGEST:
            place = pointer if isinstance(raw, str) else f"{pointer}/{language}"
            reader.note(place, "invalid", f"a text of at most {LONGEST} characters")
    return {language: text for language, text in texts.items() if isinstance(text, str)}


def text_of(answers: Answers, keyword: str, language: str, name: str, contact: str) -> str | None:
    """What is said to a word of a language; None: nothing. `name` is the shop's, `contact` may be empty."""
    if keyword in answers:
        return answers[keyword].get(language)
    way = _CONTACT[language].format(contact=contact) if contact else _NO_CONTACT[language]
    return _USUAL[keyword][language].format(name=name, contact=way)


def refusal(answered: Sequence[Answered], word: Answered) -> str | None:
    """Why a word is not answered: the opt-out from this very yes was confirmed, or others were so often of late."""
    keyword, now = word.keyword, word.at
    if keyword == STOP and any(each.keyword == STOP and each.opted_in == word.opted_in for each in answered):
        return BEFORE
    if sum(each.at > now - DAY for each in answered) >= MOST_A_DAY:
        return OFTEN
    return None


def kept(answered: Sequence[Answered], now: int) -> list[Answered]:
    """Those that a later answer depends on."""
    stops = [each for each in answered if each.keyword == STOP]
    return [each for each in answered if each.at > now - DAY or each in stops[-1:]]

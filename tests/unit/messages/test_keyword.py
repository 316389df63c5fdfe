from __future__ import annotations

import pytest

from kizuna.messages.keyword import keyword_of


@pytest.mark.parametrize(
    "text",
    ["STOP", " stop. ", "Stop!", "ＳＴＯＰ", "Opt-out", "stop all", "Please stop", "UNSUBSCRIBE\n", "停止", "配信停止",
     "「停止」", "配信停止をお願いします", "停止してください"],
)  # fmt: skip
def test_stop_in_both_languages(text: str) -> None:
    assert keyword_of(text) == "stop"


@pytest.mark.parametrize(
    ("text", "keyword"),
    [("Start", "start"), ("UNSTOP", "start"), ("配信再開", "start"), ("再開", "start"), ("help?", "help"),
     ("ヘルプ", "help"), ("ﾍﾙﾌﾟ", "help")],
)  # fmt: skip
def test_start_and_help(text: str, keyword: str) -> None:
    assert keyword_of(text) == keyword


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "I cannot stop laughing",
        "yes",
        "the end",
        "いつ再開しますか",
        "don't stop",
        "停止しないで",
        "x" * 10_000,
    ],
)
def test_other_words_are_only_words(text: str) -> None:
    assert keyword_of(text) is None

from __future__ import annotations

import time

import pytest

from kizuna.messages.keyword import keyword_of, language_of


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


@pytest.mark.parametrize(
    "text",
    [
        "stop texting me",
        "Stop texting me!!",
        "Please stop sending me messages",
        "pls stop messaging me",
        "quit texting",
        "STOP SENDING ME THESE TEXTS",
        "stop sending me texts please",
        "Hey, stop contacting me",
        "no more texts",
        "No more messages please",
        "don't text me",
        "Don’t text me anymore",
        "do not contact me again",
        "do not send me any more messages",
        "I don't want your texts",
        "dont want to receive these messages",
        "never text me again",
        "take me off your list",
        "Remove me from your list",
        "remove my number",
        "unsubscribe me please",
        "take me off this list now",
        "I want to opt out",
        "I'd like to unsubscribe",
        "I want to be removed from your list",
        "opt me out",
        "Leave me alone",
        "lose my number",
        "stop sending",
    ],
)
def test_a_refusal_in_english_needs_no_keyword(text: str) -> None:
    assert keyword_of(text) == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "配信停止してください",
        "配信を停止してください。",
        "配信の停止をお願いします",
        "もう送らないでください",
        "今後は送らないで",
        "メールを送らないでください",
        "二度と連絡しないでください",
        "メッセージはもういりません",
        "配信不要です",
        "メール不要",
        "お知らせは要りません",
        "広告メールをやめてください",
        "ＳＭＳを止めてほしい",
        "登録を解除してください",
        "登録解除希望",
        "受信を拒否します",
        "この番号に送ってこないで",
        "メルマガの配信停止を希望します",
        "もうやめて",
        "今後の連絡は必要ありません",
        "配信は結構です",
        "配信をストップしてもらえますか",
    ],
)
def test_a_refusal_in_japanese_needs_no_keyword(text: str) -> None:
    assert keyword_of(text) == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "when does the sale stop",
        "stop my order",
        "cancel my order",
        "please stop the delivery",
        "can't stop shopping",
        "don't stop texting me",
        "do not stop sending me messages",
        "no more sizes?",
        "text me",
        "remove the item",
        "do you have any more of these",
        "send me more texts",
        "I never got your texts",
        "did you stop texting me?",
        "注文を停止してください",
        "配信を停止しないで",
        "いつ配信停止になりますか",
        "領収書は不要です",
        "電話しないでください",
        "配達をやめてください",
        "配信してください",
        "連絡ください",
        "止まらない",
        "セールの案内をお願いします",
    ],
)
def test_what_only_sounds_like_a_refusal_is_none(text: str) -> None:
    assert keyword_of(text) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("STOP", "en"),
        ("ＳＴＯＰ", "en"),
        ("停止", "ja"),
        ("ﾍﾙﾌﾟ", "ja"),
        ("もうやめて", "ja"),
        ("", "en"),
        ("stop 📵", "en"),
    ],
)
def test_the_language_of_a_word(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("piece", ["もう", "メール", "メールの", "stop ", "please ", "any more ", "me ", "配信", "の"])
def test_no_text_takes_long(piece: str) -> None:
    began = time.process_time()
    for end in ("", "x", "お願いします"):
        keyword_of(piece * 200 + end)
    assert time.process_time() - began < 0.05

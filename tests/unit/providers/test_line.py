from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from kizuna.core.errors import Invalid
from kizuna.providers import Accepted, Delivery, Unavailable
from kizuna.providers.http import Answer, outcome_of
from kizuna.providers.line import MONTHLY_WAIT, MOST_UNITS, Settings, messages_of, provider
from kizuna.providers.report import Incoming

SETTINGS = Settings(token="t", channel_secret="s")
FLEX = {"type": "flex", "altText": "秋", "contents": {"type": "bubble"}}


def key_of(message: str) -> str:
    delivery = Delivery(
        message=message, channel="line", address="U", subject=None, text="Hi", html=None, headers={}, at=0.0
    )
    return provider.call(delivery, SETTINGS, 0.0).headers["X-Line-Retry-Key"]


def test_every_attempt_at_a_message_has_one_retry_key() -> None:
    assert key_of("msg_1") == key_of("msg_1") != key_of("msg_2")


def test_an_attempt_that_was_taken_before_is_taken() -> None:
    body = json.dumps({"message": "accepted", "sentMessages": [{"id": "7"}]}).encode()
    assert outcome_of(provider, Answer(409, {}, body)) == Accepted("7")


def test_the_monthly_limit_waits_longer_than_a_rate() -> None:
    waits = {}
    for words in ("You have reached your monthly limit.", "The API rate limit has been exceeded. Try again later."):
        outcome = outcome_of(provider, Answer(429, {}, json.dumps({"message": words}).encode()))
        assert isinstance(outcome, Unavailable)
        waits[words[:10]] = outcome.retry_after
    assert list(waits.values()) == [MONTHLY_WAIT, None]


def test_its_own_messages_go_as_they_are() -> None:
    assert messages_of(json.dumps(FLEX)) == [FLEX]
    assert messages_of(json.dumps([FLEX] * 5)) == [FLEX] * 5


@pytest.mark.parametrize(
    "said", ["", "  ", json.dumps([FLEX] * 6), '{"text": "x"}', '[{"type": "text"}, 7]', "あ" * 25_001]
)
def test_what_line_would_refuse_is_not_asked(said: str) -> None:
    with pytest.raises(Invalid):
        messages_of(said)


@pytest.mark.parametrize("word", ["あ", "🍁", "word ", "一行\n", "文。"])
def test_a_long_text_is_cut_and_nothing_is_lost(word: str) -> None:
    said = (word * 20_000)[:8_000]
    messages = messages_of(said)
    assert all(0 < len(each["text"].encode("utf-16-le")) // 2 <= MOST_UNITS for each in messages)
    assert "".join("".join(each["text"].split()) for each in messages) == "".join(said.split())


def test_a_cut_lies_where_a_line_ends() -> None:
    first, second = "あ" * 4_000, "い" * 2_000
    assert [each["text"] for each in messages_of(f"{first}\n{second}")] == [first, second]


def test_only_what_the_channel_secret_signed_is_genuine() -> None:
    body = b'{"events":[]}'
    signature = base64.b64encode(hmac.new(b"s", body, hashlib.sha256).digest()).decode()
    good = Incoming({"x-line-signature": signature}, body, 0.0)
    assert provider.is_genuine(good, SETTINGS, lambda _: b"")
    assert not provider.is_genuine(good, Settings(token="t", channel_secret="other"), lambda _: b"")
    assert not provider.is_genuine(good, Settings(token="t"), lambda _: b"")
    for headers in ({}, {"x-line-signature": ""}, {"x-line-signature": "é"}):
        assert not provider.is_genuine(Incoming(headers, body, 0.0), SETTINGS, lambda _: b"")
    assert not provider.is_genuine(Incoming(good.headers, body + b" ", 0.0), SETTINGS, lambda _: b"")

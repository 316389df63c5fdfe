from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import msgspec
import pytest

from kizuna.core.errors import Invalid
from kizuna.providers import Unavailable
from kizuna.providers.http import Answer, outcome_of
from kizuna.providers.report import Incoming
from kizuna.providers.whatsapp import Settings, message_of, provider

SETTINGS = Settings(token="t", number_id="1", app_secret="s", verify_token="word")
ASKED = {"hub.mode": "subscribe", "hub.verify_token": "word", "hub.challenge": "1158201444"}


def test_words_and_messages_of_its_own() -> None:
    assert message_of(" はい ") == {"type": "text", "text": {"body": "はい"}}
    assert message_of('{"type": "image", "image": {"id": "1"}}') == {"type": "image", "image": {"id": "1"}}
    for said in ("", "x" * 4097, '{"text": 1}', '[{"type": "text"}]', '{"type":'):
        with pytest.raises(Invalid):
            message_of(said)


def test_too_many_to_one_number_holds_up_no_other() -> None:
    outcome = outcome_of(provider, Answer(400, {}, json.dumps({"error": {"code": 131056}}).encode()))
    assert isinstance(outcome, Unavailable)
    assert outcome.of_one


def test_only_what_the_app_secret_signed_is_genuine() -> None:
    body = b"{}"
    signature = "sha256=" + hmac.new(b"s", body, hashlib.sha256).hexdigest()
    good = Incoming({"x-hub-signature-256": signature}, body, 0.0)
    assert provider.is_genuine(good, SETTINGS, lambda _: b"")
    assert not provider.is_genuine(good, msgspec.structs.replace(SETTINGS, app_secret=""), lambda _: b"")
    assert not provider.is_genuine(Incoming(good.headers, b"{ }", 0.0), SETTINGS, lambda _: b"")
    assert not provider.is_genuine(Incoming({}, body, 0.0), SETTINGS, lambda _: b"")


def test_who_knows_the_word_gets_its_challenge_back() -> None:
    assert provider.greeting(ASKED, SETTINGS) == "1158201444"


@pytest.mark.parametrize(
    "changes",
    [{"hub.verify_token": "other"}, {"hub.mode": "x"}, {"hub.challenge": ""}, {"hub.challenge": "<b>"}],
)
def test_others_get_nothing(changes: dict[str, Any]) -> None:
    assert provider.greeting({**ASKED, **changes}, SETTINGS) is None
    assert provider.greeting({}, SETTINGS) is None
    assert provider.greeting({**ASKED, "hub.verify_token": ""}, Settings(token="t", number_id="1")) is None


def test_a_number_is_named_by_its_id() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"token": "t", "number_id": "+81 90/../x"}, Settings)

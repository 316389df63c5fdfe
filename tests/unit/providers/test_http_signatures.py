"""Whose reports are believed, provider by provider; SNS has a file of its own."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kizuna.providers import all_providers, standard_webhooks
from kizuna.providers.report import REPEATED_SECONDS, Incoming

NOW = 1_772_445_600
BODY = b'[{"event": "delivered"}]'


def genuine(kind: str, headers: dict[str, str], body: bytes = BODY, now: float = NOW, **settings: str) -> bool:
    provider: Any = all_providers()[kind]
    known = {"key": "k", "token": "t", "domain": "d", "from": "a@b.example", "url": "https://a.example", **settings}
    fields = {field.encode_name for field in msgspec.structs.fields(provider.settings)}
    read = msgspec.convert({key: value for key, value in known.items() if key in fields}, provider.settings)
    return provider.is_genuine(Incoming(headers, body, now), read, lambda _: b"")


def test_sendgrid_signs_time_and_body_with_its_key() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    signature = b64encode(key.sign(str(NOW).encode() + BODY, ec.ECDSA(hashes.SHA256()))).decode()
    headers = {
        "x-twilio-email-event-webhook-signature": signature, "x-twilio-email-event-webhook-timestamp": str(NOW),
    }  # fmt: skip
    assert genuine("sendgrid", headers, verification_key=public)
    assert genuine("sendgrid", headers, now=NOW + REPEATED_SECONDS, verification_key=public)
    assert not genuine("sendgrid", headers, now=NOW + REPEATED_SECONDS + 1, verification_key=public)
    assert not genuine("sendgrid", headers, BODY + b" ", verification_key=public)
    assert not genuine("sendgrid", headers)
    assert not genuine("sendgrid", headers, verification_key="AAAA")
    for name in headers:
        assert not genuine("sendgrid", headers | {name: ""}, verification_key=public)
        assert not genuine("sendgrid", headers | {name: "1" + headers[name]}, verification_key=public)


def test_mailgun_signs_time_and_token_with_its_key() -> None:
    def body(**changes: str) -> bytes:
        signature = hmac.new(b"signing", f"{NOW}token".encode(), "sha256").hexdigest()
        return json.dumps(
            {"signature": {"timestamp": str(NOW), "token": "token", "signature": signature, **changes}}
        ).encode()

    assert genuine("mailgun", {}, body(), signing_key="signing")
    assert not genuine("mailgun", {}, body(), now=NOW + REPEATED_SECONDS + 1, signing_key="signing")
    assert not genuine("mailgun", {}, body())
    assert not genuine("mailgun", {}, b"{}", signing_key="signing")
    for changes in ({"token": "other"}, {"timestamp": str(NOW + 1)}, {"timestamp": "x"}, {"signature": "é"}):
        assert not genuine("mailgun", {}, body(**changes), signing_key="signing")


def test_resend_signs_as_standard_webhooks_under_names_of_its_own() -> None:
    secret = "whsec_c2VjcmV0"
    headers = {
        name.replace("webhook", "svix"): value
        for name, value in standard_webhooks.headers(secret, "msg_2", NOW, BODY).items()
    }
    assert genuine("resend", headers, signing_secret=secret)
    assert not genuine("resend", headers, BODY + b" ", signing_secret=secret)
    assert not genuine("resend", headers)


def test_our_own_hook_is_signed_with_the_secret_that_both_know() -> None:
    secret = "whsec_c2VjcmV0"
    headers = standard_webhooks.headers(secret, "evt_1", NOW, BODY)
    assert genuine("webhook", headers, secret=secret)
    assert not genuine("webhook", headers, now=NOW + 301, secret=secret)
    assert not genuine("webhook", {}, secret=secret)


@pytest.mark.parametrize(
    ("kind", "setting", "good"),
    [
        ("postmark", "reports_password", "Basic " + b64encode(b"kizuna:word").decode()),
        ("brevo", "reports_token", "Bearer word"),
    ],
)
def test_those_who_sign_nothing_know_the_address_and_a_word(kind: str, setting: str, good: str) -> None:
    assert genuine(kind, {})
    assert genuine(kind, {"authorization": good}, **{setting: "word"})
    for bad in ("", good + "1", "é"):
        assert not genuine(kind, {"authorization": bad}, **{setting: "word"})

"""Whose reports are believed, provider by provider; SNS has a file of its own."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kizuna.providers import all_providers, signed, standard_webhooks
from kizuna.providers.report import REPEATED_SECONDS, Incoming

NOW = 1_772_445_600
BODY = b'[{"event": "delivered"}]'


def genuine(
    kind: str, headers: dict[str, str], body: bytes = BODY, now: float = NOW, url: str = "", **settings: str
) -> bool:
    provider: Any = all_providers()[kind]
    known = {"key": "k", "token": "t", "domain": "d", "from": "a@b.example", "url": "https://a.example"}
    known |= {"account": "AC1", "secret": "s", "body": "{to} {text}", **settings}
    fields = {field.encode_name for field in msgspec.structs.fields(provider.settings)}
    read = msgspec.convert({key: value for key, value in known.items() if key in fields}, provider.settings)
    return provider.is_genuine(Incoming(headers, body, now, url), read, lambda _: b"")


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


def test_twilio_signs_the_address_and_the_fields_in_the_order_of_their_names() -> None:
    url, body = "https://k.example/reports/text/t?message=msg_1", b"To=%2B1&Body=&From=a+b"
    content = f"{url}BodyFroma bTo+1".encode()
    headers = {"x-twilio-signature": b64encode(hmac.digest(b"t", content, "sha1")).decode()}
    assert genuine("twilio", headers, body, url=url)
    assert genuine("twilio", headers, body, url=url.replace("k.example", "k.example:443"))
    assert not genuine("twilio", headers, body, url=url, token="other")
    assert not genuine("twilio", headers, body, url=url.replace("msg_1", "msg_2"))
    assert not genuine("twilio", headers, body + b"&More=1", url=url)
    assert not genuine("twilio", {}, body, url=url)
    assert not genuine("twilio", {"x-twilio-signature": "é"}, body, url=url)


def test_vonage_signs_a_token_that_holds_the_hash_of_the_body() -> None:
    def bearer(alg: str = "HS256", key: bytes = b"sign", **changes: Any) -> dict[str, str]:
        claims = {"iat": NOW, "payload_hash": hashlib.sha256(BODY).hexdigest(), **changes}
        said = ".".join(signed.encode(json.dumps(part).encode()) for part in ({"alg": alg, "typ": "JWT"}, claims))
        signature = signed.encode(hmac.digest(key, said.encode(), "sha256"))
        return {"authorization": f"Bearer {said}.{signature}"}

    assert genuine("vonage", bearer(), signature_secret="sign")
    assert not genuine("vonage", bearer())
    assert not genuine("vonage", bearer(), BODY + b" ", signature_secret="sign")
    assert not genuine("vonage", bearer(), now=NOW + REPEATED_SECONDS + 1, signature_secret="sign")
    for bad in (bearer(alg="none"), bearer(key=b"other"), bearer(payload_hash=""), bearer(iat="x"), {}):
        assert not genuine("vonage", bad, signature_secret="sign")
    for bad in ("Bearer ", "Bearer a.b", "Bearer a.b.é", "Bearer ..", "Basic x"):
        assert not genuine("vonage", {"authorization": bad}, signature_secret="sign")


@pytest.mark.parametrize(
    ("kind", "setting", "good"),
    [
        ("postmark", "reports_password", "Basic " + b64encode(b"kizuna:word").decode()),
        ("brevo", "reports_token", "Bearer word"),
        ("sms_gateway", "reports_token", "Bearer word"),
    ],
)
def test_those_who_sign_nothing_know_the_address_and_a_word(kind: str, setting: str, good: str) -> None:
    assert genuine(kind, {})
    assert genuine(kind, {"authorization": good}, **{setting: "word"})
    for bad in ("", good + "1", "é"):
        assert not genuine(kind, {"authorization": bad}, **{setting: "word"})

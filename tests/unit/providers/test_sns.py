from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from kizuna.core.errors import Invalid
from kizuna.providers import all_providers
from kizuna.providers.report import Incoming
from kizuna.providers.ses import Settings
from kizuna.providers.sns import is_theirs, verify

CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"
SETTINGS = Settings(key="k", secret="s", region="eu-west-1", sender="a@b.example", topic="arn:aws:sns:eu-west-1:1:t")


class Sns:
    """Signs as SNS does, with a certificate of its own."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        now = datetime.now(UTC)
        built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
        built = built.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
        self.pem = built.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)
        self.fetched: list[str] = []

    def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        return self.pem

    def said(self, **changes: Any) -> dict[str, str]:
        message = {
            "Type": "Notification", "MessageId": "1", "TopicArn": SETTINGS.topic, "Message": "{}",
            "Timestamp": "2026-03-02T10:00:00.000Z", "SignatureVersion": "2", "SigningCertURL": CERTIFICATE, **changes,
        }  # fmt: skip
        names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        content = "".join(f"{name}\n{message[name]}\n" for name in names if name in message).encode()
        hashed = hashes.SHA1() if message["SignatureVersion"] == "1" else hashes.SHA256()
        return {**message, "Signature": b64encode(self.key.sign(content, padding.PKCS1v15(), hashed)).decode()}


@pytest.fixture(scope="module")
def sns() -> Sns:
    return Sns()


@pytest.mark.parametrize("changes", [{}, {"SignatureVersion": "1"}, {"Subject": "Amazon SES"}])
def test_what_they_signed_is_believed(sns: Sns, changes: dict[str, str]) -> None:
    assert verify(sns.said(**changes), sns.fetch)


@pytest.mark.parametrize(
    "name", ["Message", "MessageId", "Timestamp", "TopicArn", "Type", "Signature", "SignatureVersion"]
)
def test_whatever_is_altered_is_not_believed(sns: Sns, name: str) -> None:
    said = sns.said()
    assert not verify({**said, name: "1" + said[name]}, sns.fetch)
    assert not verify({key: value for key, value in said.items() if key != name}, sns.fetch)


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/a.pem", "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
        "https://evil.example/a.pem", "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem", "https://sns.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com/a.txt", "file:///a.pem", "",
    ],
)  # fmt: skip
def test_a_certificate_from_elsewhere_is_not_even_asked_for(url: str) -> None:
    sns = Sns.__new__(Sns)
    sns.fetched, sns.pem = [], b""
    said = {"Type": "Notification", "SignatureVersion": "2", "SigningCertURL": url, "Signature": ""}
    assert not verify(said, sns.fetch)
    assert sns.fetched == []


def test_a_certificate_that_cannot_be_had_proves_nothing(sns: Sns) -> None:
    def gone(url: str) -> bytes:
        raise Invalid("gone")

    assert not verify(sns.said(), gone)
    assert not verify(sns.said(), lambda _: b"no certificate")


def test_a_subscription_is_confirmed_at_their_own_address_only(sns: Sns) -> None:
    provider: Any = all_providers()["ses"]
    for url, confirmed in (
        ("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription", True),
        ("https://evil.example/", False),
    ):
        message = {**sns.said(Type="SubscriptionConfirmation", SubscribeURL=url, Token="t")}
        said = Incoming({}, json.dumps(message).encode(), 0.0)
        assert provider.is_genuine(said, SETTINGS, sns.fetch)
        sns.fetched.clear()
        assert list(provider.reports(said, SETTINGS, sns.fetch)) == []
        assert (sns.fetched == [url]) is confirmed
    assert is_theirs("https://sns.cn-north-1.amazonaws.com.cn/a.pem")
    assert is_theirs("https://sns.eusc-de-east-1.amazonaws.eu/a.pem")


def test_the_end_of_a_subscription_is_heard_and_not_undone(sns: Sns) -> None:
    provider: Any = all_providers()["ses"]
    url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"
    message = sns.said(Type="UnsubscribeConfirmation", SubscribeURL=url, Token="t", Message="You have chosen to leave.")
    said = Incoming({}, json.dumps(message).encode(), 0.0)
    assert provider.is_genuine(said, SETTINGS, sns.fetch)
    sns.fetched.clear()
    assert list(provider.reports(said, SETTINGS, sns.fetch)) == []
    assert sns.fetched == []


def test_another_topic_is_not_ours(sns: Sns) -> None:
    provider: Any = all_providers()["ses"]
    other = json.dumps(sns.said(TopicArn="arn:aws:sns:eu-west-1:2:t")).encode()
    assert not provider.is_genuine(Incoming({}, other, 0.0), SETTINGS, sns.fetch)

"""Google's part is played by a server on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kizuna.profiles.device import Device
from kizuna.providers import Accepted, Delivery, Notification, Outcome, Rejected, Unavailable
from kizuna.providers.fcm import OAUTH, Account, FcmProvider, Settings
from kizuna.providers.signed import decode
from kizuna.testing.push_service import Posted, Said, Taken

KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SETTINGS = Settings(Account("shop-1", "push@shop-1.example", PEM))
SENT = Said(200, {}, b'{"name": "projects/shop-1/messages/1"}')


class Google:
    """Gives tokens, and takes messages with them."""

    def __init__(self) -> None:
        self.answer = SENT
        self.token = Said(200, {}, b'{"access_token": "at-1", "expires_in": 3599}')
        self.grants: list[Taken] = []
        self.messages: list[Taken] = []

    def __call__(self, taken: Taken) -> Said:
        if taken.path == "/token":
            self.grants.append(taken)
            return self.token
        self.messages.append(taken)
        return self.answer


@pytest.fixture(scope="module")
def service() -> Iterator[Posted]:
    with Posted() as posted:
        yield posted


@pytest.fixture
def google(service: Posted) -> Google:
    service.answer = google = Google()
    return google


@pytest.fixture
def provider(service: Posted) -> Iterator[FcmProvider]:
    made = FcmProvider(service.url, f"{service.url}/token")
    yield made
    made.close()


def delivery(**changes: Any) -> Delivery:
    said = Delivery(
        message="msg_1", channel="push", address="t1", subject="Sale", text="Today", html=None, headers={}, at=0,
        devices=[Device("android", "t1")],
        notification=Notification(
            ttl=3_600, url="https://shop.example/", data={"sku": "A1", "url": "no"}, urgency="high"
        ),
    )  # fmt: skip
    return msgspec.structs.replace(said, **changes)


def test_a_message_carries_what_an_app_needs(provider: FcmProvider, google: Google) -> None:
    assert provider.deliver(delivery(), SETTINGS) == Accepted("projects/shop-1/messages/1")
    (taken,) = google.messages
    assert taken.path == "/v1/projects/shop-1/messages:send"
    assert taken.headers["authorization"] == "Bearer at-1"
    message = json.loads(taken.body)["message"]
    assert (message["token"], message["notification"]) == ("t1", {"title": "Sale", "body": "Today"})
    assert message["data"] == {"sku": "A1", "url": "https://shop.example/", "message": "msg_1", "tag": "msg_1"}
    assert message["android"] == {
        "collapse_key": "msg_1", "priority": "HIGH", "ttl": "3600s", "notification": {"tag": "msg_1"},
    }  # fmt: skip


def test_the_account_asks_once_for_a_token_that_serves_many(provider: FcmProvider, google: Google) -> None:
    for _ in range(3):
        provider.deliver(delivery(), SETTINGS)
    (taken,) = google.grants
    form = parse_qs(taken.body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    said, _, signature = form["assertion"][0].rpartition(".")
    KEY.public_key().verify(decode(signature), said.encode(), padding.PKCS1v15(), hashes.SHA256())
    claims = json.loads(decode(said.split(".")[1]))
    assert (claims["iss"], claims["aud"]) == ("push@shop-1.example", OAUTH)
    assert claims["exp"] - claims["iat"] == 3_600


def test_a_token_that_was_refused_or_is_old_is_asked_for_anew(provider: FcmProvider, google: Google) -> None:
    google.answer = Said(401)
    assert isinstance(provider.deliver(delivery(), SETTINGS), Unavailable)
    google.answer, google.token = SENT, Said(200, {}, b'{"access_token": "at-2", "expires_in": 10}')
    assert isinstance(provider.deliver(delivery(), SETTINGS), Accepted)
    assert isinstance(provider.deliver(delivery(), SETTINGS), Accepted)
    assert len(google.grants) == 3


@pytest.mark.parametrize("token", [Said(400, {}, b'{"error": "invalid_grant"}'), Said(200, {}, b"<html>"), Said(503)])
def test_without_a_token_nothing_is_sent_yet(provider: FcmProvider, google: Google, token: Said) -> None:
    google.token = token
    outcome = provider.deliver(delivery(), SETTINGS)
    assert isinstance(outcome, Unavailable)
    assert outcome.reason.startswith("oauth: ")
    assert google.messages == []


def test_it_waits_no_longer_than_google_lets_it(provider: FcmProvider, google: Google) -> None:
    provider.deliver(delivery(notification=Notification(ttl=90 * 86_400)), SETTINGS)
    assert json.loads(google.messages[0].body)["message"]["android"]["ttl"] == "2419200s"


def error(status: int, code: str, headers: dict[str, str] | None = None, message: str = "no", **detail: Any) -> Said:
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}, detail]
    body = {"error": {"code": status, "message": message, "status": "X", "details": details}}
    return Said(status, headers or {}, json.dumps(body).encode())


GONE = [Device("android", "t1").id]
REPLIES: list[tuple[Said, Outcome]] = [
    (error(404, "UNREGISTERED"), Rejected("unregistered: 404 UNREGISTERED no", gone=GONE)),
    (
        error(400, "INVALID_ARGUMENT", fieldViolations=[{"field": "message.token"}]),
        Rejected("unregistered: 400 INVALID_ARGUMENT no", gone=GONE),
    ),
    (error(400, "INVALID_ARGUMENT"), Rejected("400 INVALID_ARGUMENT no")),
    (
        error(400, "INVALID_ARGUMENT", message="The registration token is not a valid FCM registration token"),
        Rejected(
            "unregistered: 400 INVALID_ARGUMENT The registration token is not a valid FCM registration token", gone=GONE
        ),
    ),
    (error(403, "SENDER_ID_MISMATCH"), Rejected("403 SENDER_ID_MISMATCH no")),
    (Said(403, {}, b'{"error": {"status": "PERMISSION_DENIED"}}'), Unavailable("403 PERMISSION_DENIED")),
    (error(429, "QUOTA_EXCEEDED"), Unavailable("429 QUOTA_EXCEEDED no", 60)),
    (error(429, "QUOTA_EXCEEDED", {"Retry-After": "9"}), Unavailable("429 QUOTA_EXCEEDED no", 9)),
    (error(503, "UNAVAILABLE", {"Retry-After": "5"}), Unavailable("503 UNAVAILABLE no", 5)),
    (Said(500, {}, b"<html>"), Unavailable("500")),
    (Said(404, {}, b"[]"), Unavailable("404")),
]


@pytest.mark.parametrize(("reply", "outcome"), REPLIES, ids=lambda value: str(getattr(value, "reason", "")))
def test_answers_decide(provider: FcmProvider, google: Google, reply: Said, outcome: Outcome) -> None:
    google.answer = reply
    assert provider.deliver(delivery(), SETTINGS) == outcome


def test_an_account_that_cannot_sign_is_refused(provider: FcmProvider) -> None:
    assert provider.check(SETTINGS).public == {"project": "shop-1"}
    unusable = Settings(Account("shop-1", "push@shop-1.example", "no key"))
    assert [each.pointer for each in provider.check(unusable).problems] == ["/service_account/private_key"]
    assert isinstance(provider.deliver(delivery(), unusable), Unavailable)

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from kizuna.profiles.device import WEB, Device
from kizuna.providers import Accepted, Ambiguous, Delivery, Notification, Outcome, Rejected, Unavailable
from kizuna.providers.sealing import CURVE
from kizuna.providers.signed import decode
from kizuna.providers.target import Targets
from kizuna.providers.webpush import Settings, WebPushProvider
from kizuna.testing.push_service import Browser, Posted, Said, Taken

HERE = ("127.0.0.0/8",)
SUBJECT = "mailto:ops@shop.example"


@pytest.fixture(scope="module")
def provider() -> Iterator[WebPushProvider]:
    made = WebPushProvider(Targets(lambda: HERE))
    yield made
    made.close()


@pytest.fixture(scope="module")
def settings(provider: WebPushProvider) -> Settings:
    return Settings(SUBJECT, **provider.make_secrets())


@pytest.fixture(scope="module")
def service() -> Iterator[Posted]:
    with Posted() as posted:
        yield posted


@pytest.fixture
def browser(service: Posted) -> Browser:
    service.answer = lambda _: Said()
    service.taken.clear()
    return Browser(f"{service.url}/wpush/abc")


def delivery(browser: Browser, **changes: Any) -> Delivery:
    said = Delivery(
        message="msg_1", channel="push", address=browser.subscription, subject="Sale", text="Today only", html=None,
        headers={}, at=0, notification=Notification(ttl=3_600, url="https://shop.example/", urgency="high"),
    )  # fmt: skip
    return msgspec.structs.replace(said, **changes)


def test_the_browser_reads_the_notification(
    provider: WebPushProvider, settings: Settings, service: Posted, browser: Browser
) -> None:
    assert provider.deliver(delivery(browser), settings) == Accepted()
    (taken,) = service.taken
    assert taken.path == "/wpush/abc"
    assert browser.read(taken.body) == {
        "title": "Sale", "body": "Today only", "message": "msg_1", "tag": "msg_1", "url": "https://shop.example/",
    }  # fmt: skip
    assert taken.headers["content-encoding"] == "aes128gcm"
    assert (taken.headers["ttl"], taken.headers["urgency"]) == ("3600", "high")
    assert len(taken.headers["topic"]) == 32


def test_a_repeated_message_replaces_the_one_that_waits(
    provider: WebPushProvider, settings: Settings, service: Posted, browser: Browser
) -> None:
    cart = Notification(ttl=60, collapse="cart")
    for changes in ({}, {}, {"message": "msg_2"}, {"notification": cart}, {"message": "msg_3", "notification": cart}):
        provider.deliver(delivery(browser, **changes), settings)
    first, again, other, named, also_named = (taken.headers["topic"] for taken in service.taken)
    assert first == again != other
    assert named == also_named


def test_the_token_is_signed_with_the_key_that_is_shown(
    provider: WebPushProvider, settings: Settings, service: Posted, browser: Browser
) -> None:
    provider.deliver(delivery(browser), settings)
    scheme, _, rest = service.taken[0].headers["authorization"].partition(" ")
    said = dict(part.split("=", 1) for part in rest.split(", "))
    assert scheme == "vapid"
    assert said["k"] == provider.check(settings).public["applicationServerKey"]
    head, claims, signature = said["t"].split(".")
    raw = decode(signature)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decode(said["k"]))
    key.verify(encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    assert json.loads(decode(head)) == {"typ": "JWT", "alg": "ES256"}
    body = json.loads(decode(claims))
    assert (body["aud"], body["sub"]) == (service.url, SUBJECT)
    assert time.time() < body["exp"] <= time.time() + 24 * 3_600


REPLIES: list[tuple[Said, Outcome]] = [
    (Said(201, {"Location": "https://push.example/m/1"}), Accepted("https://push.example/m/1")),
    (Said(413), Rejected("payload_too_large: 413")),
    (Said(400, {}, b"bad\n request"), Rejected("400 bad request")),
    (Said(403), Rejected("403")),
    (Said(307, {"Location": "/elsewhere"}), Rejected("307")),
    (Said(406), Unavailable("406", of_one=True)),
    (Said(429, {"Retry-After": "120"}), Unavailable("429", 120, of_one=True)),
    (Said(429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), Unavailable("429", of_one=True)),
    (Said(503), Unavailable("503", of_one=True)),
]


@pytest.mark.parametrize(("reply", "outcome"), REPLIES, ids=lambda value: str(getattr(value, "status", "")))
def test_answers_decide(
    provider: WebPushProvider, settings: Settings, service: Posted, browser: Browser, reply: Said, outcome: Outcome
) -> None:
    service.answer = lambda _: reply
    assert provider.deliver(delivery(browser), settings) == outcome
    assert len(service.taken) == 1


@pytest.mark.parametrize("status", [404, 410])
def test_a_subscription_that_ended_names_its_device(
    provider: WebPushProvider, settings: Settings, service: Posted, browser: Browser, status: int
) -> None:
    service.answer = lambda _: Said(status)
    outcome = provider.deliver(delivery(browser), settings)
    assert isinstance(outcome, Rejected)
    assert outcome.reason.startswith("unregistered")
    assert list(outcome.gone) == [Device(WEB, browser.subscription).id]
    assert outcome.bounce is None


def test_what_is_too_long_is_never_posted(
    provider: WebPushProvider, settings: Settings, service: Posted, browser: Browser
) -> None:
    outcome = provider.deliver(delivery(browser, text="長" * 2_000), settings)
    assert isinstance(outcome, Rejected)
    assert outcome.reason.startswith("payload_too_large: ")
    assert service.taken == []


def test_keys_that_are_none_and_places_that_may_not_be_reached_end_a_device(
    provider: WebPushProvider, settings: Settings, service: Posted, browser: Browser
) -> None:
    broken = json.dumps({"endpoint": browser.endpoint, "keys": {"p256dh": "AAAA", "auth": "AAAA"}})
    inward = Browser("https://169.254.169.254/latest").subscription
    for address, why in ((broken, "invalid_address"), (inward, "target_refused")):
        outcome = provider.deliver(delivery(browser, address=address), settings)
        assert isinstance(outcome, Rejected)
        assert outcome.reason.startswith(why)
        assert list(outcome.gone) == [Device(WEB, address).id]
    assert provider.deliver(delivery(browser, address="no subscription"), settings) == Rejected(
        "invalid_address: no PushSubscription"
    )
    assert service.taken == []


def test_a_dead_service_took_nothing_and_a_silent_one_may_have(
    provider: WebPushProvider, settings: Settings, browser: Browser
) -> None:
    def hang_up(_: Taken) -> Said:
        raise ConnectionAbortedError

    with Posted(hang_up) as silent:
        silent._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # it is meant
        address = Browser(f"{silent.url}/1").subscription
        assert isinstance(provider.deliver(delivery(browser, address=address), settings), Ambiguous)
    dead = provider.deliver(delivery(browser, address=address), settings)
    assert isinstance(dead, Unavailable)
    assert dead.of_one


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        (Settings("ops", "AQ"), "/subject"), (Settings(SUBJECT, "!"), "/private_key"),
        (Settings(SUBJECT, ""), "/private_key"), (Settings(SUBJECT, "_" * 60), "/private_key"),
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(provider: WebPushProvider, settings: Settings, pointer: str) -> None:
    assert [each.pointer for each in provider.check(settings).problems] == [pointer]

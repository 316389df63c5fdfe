"""Apple's part is played by an HTTP/2 server on this machine."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

from kizuna.profiles.device import Device
from kizuna.providers import Accepted, Delivery, Notification, Outcome, Rejected, Unavailable
from kizuna.providers.apns import ApnsProvider, Settings
from kizuna.providers.sealing import CURVE
from kizuna.providers.signed import decode
from kizuna.testing.push_service import Said, Taken

KEY = ec.generate_private_key(CURVE)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SETTINGS = Settings(key=PEM, key_id="KEY1", team_id="TEAM1", topic="example.shop")
TOKEN = "00ffab" * 10


class Apple:
    """Speaks HTTP/2 without TLS, one connection after the other."""

    def __init__(self) -> None:
        self.answer = Said(200, {"apns-id": "id-1"})
        self.taken: list[Taken] = []
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.run)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self.serve(connection)

    def serve(self, connection: socket.socket) -> None:
        speaker = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        speaker.initiate_connection()
        asked: dict[int, tuple[dict[str, str], list[bytes]]] = {}
        connection.sendall(speaker.data_to_send())
        while said := connection.recv(65_536):
            for event in speaker.receive_data(said):
                match event:
                    case RequestReceived():
                        asked[event.stream_id] = dict(event.headers), []
                    case DataReceived():
                        asked[event.stream_id][1].append(event.data)
                        speaker.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    case StreamEnded():
                        headers, parts = asked.pop(event.stream_id)
                        self.taken.append(Taken(headers[":path"], headers, b"".join(parts)))
                        reply = [(":status", str(self.answer.status)), *self.answer.headers.items()]
                        speaker.send_headers(event.stream_id, reply)
                        speaker.send_data(event.stream_id, self.answer.body, end_stream=True)
                    case _:
                        pass
            connection.sendall(speaker.data_to_send())


@pytest.fixture
def apple() -> Iterator[Apple]:
    made = Apple()
    made.thread.start()
    yield made
    made.listener.shutdown(socket.SHUT_RDWR)
    made.listener.close()
    made.thread.join(10)


@pytest.fixture
def provider(apple: Apple) -> Iterator[ApnsProvider]:
    made = ApnsProvider({"production": apple.url, "sandbox": "http://127.0.0.1:1"})
    yield made
    made.close()


def delivery(**changes: Any) -> Delivery:
    said = Delivery(
        message="msg_1", channel="push", address=TOKEN, subject="Sale", text="Today", html=None, headers={}, at=0,
        notification=Notification(ttl=3_600, url="https://shop.example/", data={"sku": "A1"}),
    )  # fmt: skip
    return msgspec.structs.replace(said, **changes)


def test_a_message_carries_what_an_app_needs(provider: ApnsProvider, apple: Apple) -> None:
    assert provider.deliver(delivery(), SETTINGS) == Accepted("id-1")
    (taken,) = apple.taken
    assert taken.path == f"/3/device/{TOKEN}"
    assert json.loads(taken.body) == {
        "aps": {"alert": {"title": "Sale", "body": "Today"}, "sound": "default", "mutable-content": 1},
        "message": "msg_1", "tag": "msg_1", "url": "https://shop.example/", "data": {"sku": "A1"},
    }  # fmt: skip
    said = {name: taken.headers[f"apns-{name}"] for name in ("topic", "push-type", "priority", "collapse-id")}
    assert said == {"topic": "example.shop", "push-type": "alert", "priority": "10", "collapse-id": "msg_1"}
    assert 0 < int(taken.headers["apns-expiration"]) - time.time() <= 3_600
    assert len(taken.headers["apns-id"]) == 36


def test_one_token_and_one_connection_serve_many(provider: ApnsProvider, apple: Apple) -> None:
    for _ in range(5):
        provider.deliver(delivery(), SETTINGS)
    assert apple.connections == 1
    (token,) = {taken.headers["authorization"].removeprefix("bearer ") for taken in apple.taken}
    head, claims, signature = token.split(".")
    raw = decode(signature)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    KEY.public_key().verify(encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    assert json.loads(decode(head)) == {"typ": "JWT", "alg": "ES256", "kid": "KEY1"}
    assert json.loads(decode(claims))["iss"] == "TEAM1"


def test_a_repeated_message_goes_under_the_same_name(provider: ApnsProvider, apple: Apple) -> None:
    for changes in ({}, {}, {"message": "msg_2"}):
        provider.deliver(delivery(**changes), SETTINGS)
    first, again, other = (taken.headers["apns-id"] for taken in apple.taken)
    assert first == again != other


GONE = [Device("ios", TOKEN).id]
REPLIES: list[tuple[int, str, Outcome]] = [
    (410, "Unregistered", Rejected("unregistered: 410 Unregistered", gone=GONE)),
    (400, "BadDeviceToken", Rejected("unregistered: 400 BadDeviceToken", gone=GONE)),
    (400, "DeviceTokenNotForTopic", Rejected("400 DeviceTokenNotForTopic")),
    (400, "TopicDisallowed", Unavailable("400 TopicDisallowed", 7)),
    (400, "BadTopic", Unavailable("400 BadTopic", 7)),
    (413, "PayloadTooLarge", Rejected("payload_too_large: 413 PayloadTooLarge")),
    (403, "InvalidProviderToken", Unavailable("403 InvalidProviderToken", 7)),
    (429, "TooManyRequests", Unavailable("429 TooManyRequests", 7)),
    (503, "Shutdown", Unavailable("503 Shutdown", 7)),
]


@pytest.mark.parametrize(("status", "reason", "outcome"), REPLIES, ids=[reason for _, reason, _ in REPLIES])
def test_answers_decide(provider: ApnsProvider, apple: Apple, status: int, reason: str, outcome: Outcome) -> None:
    apple.answer = Said(status, {"retry-after": "7"}, json.dumps({"reason": reason}).encode())
    assert provider.deliver(delivery(), SETTINGS) == outcome


def test_a_token_that_apple_calls_old_is_made_anew(provider: ApnsProvider, apple: Apple) -> None:
    apple.answer = Said(403, {}, b'{"reason": "ExpiredProviderToken"}')
    provider.deliver(delivery(), SETTINGS)
    apple.answer = Said(200)
    assert isinstance(provider.deliver(delivery(), SETTINGS), Accepted)
    assert len({taken.headers["authorization"] for taken in apple.taken}) == 2


def test_what_cannot_go_is_never_posted(provider: ApnsProvider, apple: Apple) -> None:
    long = provider.deliver(delivery(text="長" * 2_000), SETTINGS)
    assert isinstance(long, Rejected)
    assert long.reason.startswith("payload_too_large")
    odd = provider.deliver(delivery(address="../3/device/x"), SETTINGS)
    assert isinstance(odd, Rejected)
    assert list(odd.gone) == [Device("ios", "../3/device/x").id]
    sandbox = msgspec.structs.replace(SETTINGS, environment="sandbox")
    assert isinstance(provider.deliver(delivery(), sandbox), Unavailable)
    assert apple.taken == []


def test_a_key_that_cannot_sign_is_refused(provider: ApnsProvider) -> None:
    assert provider.check(SETTINGS).problems == []
    unusable = msgspec.structs.replace(SETTINGS, key="no key")
    assert [each.pointer for each in provider.check(unusable).problems] == ["/key"]
    assert isinstance(provider.deliver(delivery(), unusable), Unavailable)

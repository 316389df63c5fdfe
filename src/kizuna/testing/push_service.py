"""A push service, or Google's or Apple's, on this machine: takes what providers post and answers as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from kizuna.providers.sealing import CURVE, point_of
from kizuna.providers.signed import encode
from kizuna.testing.loopback import Loopback


class Taken(Struct, frozen=True):
    path: str
    headers: dict[str, str]  # names in small letters
    body: bytes


class Said(Struct, frozen=True):
    """How to answer."""

    status: int = 201
    headers: dict[str, str] = {}  # msgspec copies it
    body: bytes = b""


class Posted(Loopback):
    """`answer` may be changed at any time."""

    def __init__(self, answer: Callable[[Taken], Said] = lambda _: Said()) -> None:
        self.answer = answer
        self.taken: list[Taken] = []
        self.arrived = threading.Semaphore(0)
        super().__init__(_handler_of(self))


def _handler_of(service: Posted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            taken = Taken(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            service.taken.append(taken)
            said = service.answer(taken)
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)
            service.arrived.release()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name it has there
            """Says nothing."""

    return Handler


class Browser:
    """One that allowed notifications: has a subscription, and reads what it is sent."""

    def __init__(self, endpoint: str, auth: bytes = b"sixteen bytes ok") -> None:
        self.key = ec.generate_private_key(CURVE)
        self.auth = auth
        self.endpoint = endpoint

    @property
    def subscription(self) -> str:
        keys = {"p256dh": encode(point_of(self.key)), "auth": encode(self.auth)}
        return json.dumps({"endpoint": self.endpoint, "expirationTime": None, "keys": keys})

    def read(self, body: bytes) -> dict[str, Any]:
        return json.loads(self.open(body))

    def open(self, body: bytes) -> bytes:
        """The way back of RFC 8291."""
        salt, length = body[:16], body[20]
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, theirs))
        info = b"WebPush: info\x00" + point_of(self.key) + theirs
        material = HKDF(hashes.SHA256(), 32, self.auth, info).derive(shared)
        key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(material)
        nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(material)
        return AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\x00")[:-1]

"""Web push (RFC 8030): sealed for the browser (RFC 8291), signed with the workspace's VAPID key (RFC 8292)."""

from __future__ import annotations

import os
import threading
import time
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from kizuna.core.errors import FieldError, Invalid
from kizuna.profiles.device import WEB, Device, Subscription, subscription_of
from kizuna.providers import Accepted, Checked, Delivery, Outcome, Rejected, Unavailable
from kizuna.providers.answers import one_line, retry_after
from kizuna.providers.http import Answer
from kizuna.providers.notification import notification_of, payload
from kizuna.providers.sealing import CURVE, MOST_PLAIN, point_of, seal
from kizuna.providers.signed import decode, encode, token
from kizuna.providers.target import Targets, Unresolved

TOKEN_SECONDS = 12 * 3600  # RFC 8292 allows 24 h
MOST_TOKENS = 256


class Settings(Struct, frozen=True):
    """`subject` tells push services whom to ask when something goes wrong."""

    subject: str  # mailto:ops@shop.example, or an https address
    private_key: str = ""  # made when it is not given; base 64 of 32 bytes


class WebPushProvider:
    name: ClassVar[str] = "webpush"
    channel: ClassVar[str | None] = "push"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"private_key"})
    is_local: ClassVar[bool] = False
    carries: ClassVar[frozenset[str]] = frozenset({WEB})

    def __init__(self, targets: Targets | None = None) -> None:
        self._targets = targets or Targets()
        self._lock = threading.Lock()
        self._tokens: dict[tuple[str, str, str], tuple[str, float]] = {}

    def make_secrets(self) -> dict[str, Any]:
        """Called when the provider is set: subscriptions are bound to this key, so it stays."""
        key = ec.generate_private_key(CURVE)
        return {"private_key": encode(key.private_numbers().private_value.to_bytes(32, "big"))}

    def check(self, settings: Settings) -> Checked:
        """Shows the public key that browsers subscribe with."""
        problems: list[FieldError] = []
        if not settings.subject.startswith(("mailto:", "https://")):
            problems.append(FieldError("/subject", "invalid", "a mailto: or https: address"))
        try:
            public = {"applicationServerKey": encode(point_of(_key(settings.private_key)))}
        except ValueError:
            public = {}
            problems.append(FieldError("/private_key", "unreadable_key", "no P-256 key in base 64"))
        return Checked(problems=problems, public=public)

    def deliver(self, delivery: Delivery, settings: Settings) -> Outcome:
        """Each browser has a push service of its own choice: that one does not answer says nothing of the others."""
        outcome = self._deliver(delivery, settings)
        return msgspec.structs.replace(outcome, of_one=True) if isinstance(outcome, Unavailable) else outcome

    def _deliver(self, delivery: Delivery, settings: Settings) -> Outcome:
        subscription = subscription_of(delivery.address)
        if subscription is None:
            return Rejected("invalid_address: no PushSubscription")
        device = Device(WEB, delivery.address).id
        plain = msgspec.json.encode(payload(delivery))
        if len(plain) > MOST_PLAIN:
            return Rejected(f"payload_too_large: {len(plain)} bytes, at most {MOST_PLAIN}")
        try:
            body = _seal(plain, subscription)
        except ValueError:
            return Rejected("invalid_address: keys of the subscription cannot be used", gone=[device])
        try:
            answer = self._targets.post(subscription.endpoint, body, self._headers(delivery, subscription, settings))
        except Invalid as error:
            return Rejected(f"{error.code}: {error}", gone=[device])
        except Unresolved as error:
            return Rejected(f"unresolved: {error}") if error.is_final else Unavailable(str(error)[:500])
        return _outcome(answer, device) if isinstance(answer, Answer) else answer

    def _headers(self, delivery: Delivery, subscription: Subscription, settings: Settings) -> dict[str, str]:
        said = notification_of(delivery)
        topic = encode(sha256((said.collapse or delivery.message).encode()).digest())[:32]
        return {
            "Authorization": self._authorization(subscription.endpoint, settings),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(said.ttl),
            "Urgency": said.urgency,
            "Topic": topic,
        }

    def _authorization(self, endpoint: str, settings: Settings) -> str:
        """One token serves a push service for hours."""
        parts = urlsplit(endpoint)
        origin = f"{parts.scheme}://{parts.netloc}"
        named = origin, settings.private_key, settings.subject
        now = time.time()
        with self._lock:
            made, until = self._tokens.get(named, ("", 0.0))
            if until <= now:
                key = _key(settings.private_key)
                claims = {"aud": origin, "exp": int(now) + TOKEN_SECONDS, "sub": settings.subject}
                made = f"vapid t={token(key, claims)}, k={encode(point_of(key))}"
                if len(self._tokens) >= MOST_TOKENS:
                    self._tokens.clear()
                self._tokens[named] = made, now + TOKEN_SECONDS / 2
            return made

    def close(self) -> None:
        self._targets.close()


def _seal(plain: bytes, subscription: Subscription) -> bytes:
    keys = subscription.keys
    return seal(plain, decode(keys.p256dh), decode(keys.auth), ec.generate_private_key(CURVE), os.urandom(16))


def _key(private_key: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decode(private_key), "big"), CURVE)


def _outcome(answer: Answer, device: str) -> Outcome:
    status = answer.status
    if status in (200, 201, 202, 204):
        return Accepted(answer.headers.get("location", "")[:500])
    text = one_line(status, answer.body.decode(errors="replace"))
    if status in (404, 410):  # RFC 8030, section 7.3
        return Rejected(f"unregistered: {text}", gone=[device])
    if status == 413:
        return Rejected(f"payload_too_large: {text}")
    if status in (406, 429) or status >= 500:  # 406: as Microsoft says 429
        return Unavailable(text, retry_after(answer.headers))
    return Rejected(text)


provider = WebPushProvider()

"""Apple Push Notification service: https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns"""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any, ClassVar, Literal

import httpx
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Struct

from kizuna.core import ids
from kizuna.core.errors import FieldError
from kizuna.profiles.device import IOS, Device
from kizuna.providers import Accepted, Checked, Delivery, Outcome, Rejected, Unavailable
from kizuna.providers.answers import TIMEOUT, lost, one_line, retry_after
from kizuna.providers.notification import notification_of, payload
from kizuna.providers.signed import token

HOSTS = {"production": "https://api.push.apple.com", "sandbox": "https://api.sandbox.push.apple.com"}
TOKEN_SECONDS = 2_400  # Apple wants a new one after an hour at most, and no sooner than after 20 minutes
MOST_PAYLOAD = 4_096
OUR_SETTINGS = ("BadTopic", "MissingTopic", "TopicDisallowed", "BadCertificateEnvironment")
GONE = ("BadDeviceToken", "Unregistered", "ExpiredToken")


class Settings(Struct, frozen=True):
    """A signing key of the developer account; `topic` is the app's bundle id."""

    key: str  # the .p8 file as text
    key_id: str
    team_id: str
    topic: str
    environment: Literal["production", "sandbox"] = "production"


class ApnsProvider:
    name: ClassVar[str] = "apns"
    channel: ClassVar[str | None] = "push"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"key"})
    is_local: ClassVar[bool] = False
    carries: ClassVar[frozenset[str]] = frozenset({IOS})

    def __init__(self, hosts: dict[str, str] = HOSTS) -> None:
        self._hosts = hosts
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()
        self._tokens: dict[tuple[str, str, str], tuple[str, float]] = {}

    def check(self, settings: Settings) -> Checked:
        try:
            _key(settings.key)
        except ValueError as error:
            return Checked(problems=[FieldError("/key", "unreadable_key", str(error))])
        return Checked()

    def deliver(self, delivery: Delivery, settings: Settings) -> Outcome:
        device = delivery.address
        if not device.isascii() or not device.isalnum():
            return Rejected("invalid_address: no token of Apple's", gone=[Device(IOS, device).id])
        body = msgspec.json.encode(_body(delivery))
        if len(body) > MOST_PAYLOAD:
            return Rejected(f"payload_too_large: {len(body)} bytes, at most {MOST_PAYLOAD}")
        url = f"{self._hosts[settings.environment]}/3/device/{device}"
        try:
            headers = self._headers(delivery, settings)
        except ValueError as error:
            return Unavailable(f"settings: key: {error}")
        try:
            answer = self._http().post(url, content=body, headers=headers)
        except (httpx.HTTPError, OSError) as error:
            return lost(error)
        return self._outcome(answer, delivery, settings)

    def _headers(self, delivery: Delivery, settings: Settings) -> dict[str, str]:
        said = notification_of(delivery)
        name = ids.derive("apns", delivery.message, delivery.address)
        return {
            "authorization": f"bearer {self._token(settings)}",
            "apns-id": str(uuid.UUID(bytes=name)),
            "apns-topic": settings.topic,
            "apns-push-type": "alert",
            "apns-priority": "5" if said.urgency in ("very-low", "low") else "10",
            "apns-expiration": str(int(time.time()) + said.ttl),
            "apns-collapse-id": (said.collapse or delivery.message).encode()[:64].decode(errors="ignore"),
        }

    def _token(self, settings: Settings) -> str:
        with self._lock:
            made, until = self._tokens.get(_named(settings), ("", 0.0))
            now = time.time()
            if until <= now:
                made = token(_key(settings.key), {"iss": settings.team_id, "iat": int(now)}, kid=settings.key_id)
                self._tokens[_named(settings)] = made, now + TOKEN_SECONDS
            return made

    def _outcome(self, answer: httpx.Response, delivery: Delivery, settings: Settings) -> Outcome:
        status = answer.status_code
        if status == 200:
            return Accepted(answer.headers.get("apns-id", ""))
        why = _reason(answer)
        text = one_line(status, why)
        if status == 410 or why in GONE:
            return Rejected(f"unregistered: {text}", gone=[Device(IOS, delivery.address).id])
        if status == 413:
            return Rejected(f"payload_too_large: {text}")
        if why == "ExpiredProviderToken":
            with self._lock:
                self._tokens.pop(_named(settings), None)
        if (
            status in (403, 405, 429) or status >= 500 or why in OUR_SETTINGS
        ):  # our key, their load: neither is the message's fault
            return Unavailable(text, retry_after(answer.headers))
        return Rejected(text)

    def _http(self) -> httpx.Client:
        """HTTP/2 alone; one connection carries many at once."""
        with self._lock:
            if self._client is None:
                self._client = httpx.Client(http1=False, http2=True, timeout=TIMEOUT, trust_env=False)
            return self._client

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()


def _named(settings: Settings) -> tuple[str, str, str]:
    return settings.team_id, settings.key_id, settings.key


def _key(pem: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("no P-256 key in PEM, as a .p8 file holds it")
    return key


def _body(delivery: Delivery) -> dict[str, Any]:
    whole = payload(delivery)
    alert = {"title": whole.pop("title"), "body": whole.pop("body")}
    return {**whole, "aps": {"alert": alert, "sound": "default", "mutable-content": 1}}


def _reason(answer: httpx.Response) -> str:
    try:
        said = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return ""
    return str(said.get("reason") or "") if isinstance(said, dict) else ""


provider = ApnsProvider()

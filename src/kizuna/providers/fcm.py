"""Firebase Cloud Messaging, HTTP v1: https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages"""

from __future__ import annotations

import threading
import time
from typing import Any, ClassVar, cast

import httpx
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Struct

from kizuna.core.errors import FieldError
from kizuna.profiles.device import ANDROID, IOS, Device
from kizuna.providers import Accepted, Checked, Delivery, Outcome, Rejected, Unavailable
from kizuna.providers.answers import TIMEOUT, lost, one_line, retry_after
from kizuna.providers.notification import notification_of, payload
from kizuna.providers.signed import token

API, OAUTH = "https://fcm.googleapis.com", "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EARLY_SECONDS = 300  # before its end a token is renewed
NO_TOKEN = "not a valid FCM registration token"  # noqa: S105  # words of theirs
QUOTA_SECONDS = 60  # Google's advice where it names no time
_DATA = ("message", "tag", "url", "dismissed_url", "icon")


class Account(Struct, frozen=True):
    """The parts of a service account's file that are needed."""

    project_id: str
    client_email: str
    private_key: str


class Settings(Struct, frozen=True):
    """The file that Google's console gives for a service account, as an object."""

    service_account: Account


class Refused(Exception):
    """Google gave no access token."""


class FcmProvider:
    name: ClassVar[str] = "fcm"
    channel: ClassVar[str | None] = "push"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"service_account"})
    is_local: ClassVar[bool] = False
    carries: ClassVar[frozenset[str]] = frozenset({ANDROID, IOS})

    def __init__(self, api: str = API, oauth: str = OAUTH) -> None:
        self._api, self._oauth = api, oauth
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()
        self._tokens: dict[Account, tuple[str, float]] = {}

    def check(self, settings: Settings) -> Checked:
        try:
            _key(settings.service_account)
        except ValueError as error:
            wrong = FieldError("/service_account/private_key", "unreadable_key", str(error))
            return Checked(problems=[wrong])
        return Checked(public={"project": settings.service_account.project_id})

    def deliver(self, delivery: Delivery, settings: Settings) -> Outcome:
        account = settings.service_account
        try:
            access = self._access(account)
        except (Refused, httpx.HTTPError, OSError, ValueError) as error:
            return Unavailable(f"oauth: {type(error).__name__}: {error}"[:500])
        url = f"{self._api}/v1/projects/{account.project_id}/messages:send"
        try:
            answer = self._http().post(url, json=_body(delivery), headers={"Authorization": f"Bearer {access}"})
        except (httpx.HTTPError, OSError) as error:
            return lost(error)
        if answer.status_code == 401:
            with self._lock:
                self._tokens.pop(account, None)
        return _outcome(answer, delivery)

    def _access(self, account: Account) -> str:
        """One token serves for an hour; while one thread asks for it the others wait."""
        with self._lock:
            made, until = self._tokens.get(account, ("", 0.0))
            now = time.time()
            if until > now:
                return made
            claims = {
                "iss": account.client_email,
                "scope": SCOPE,
                "aud": OAUTH,
                "iat": int(now),
                "exp": int(now) + 3600,
            }
            form = {"grant_type": GRANT, "assertion": token(_key(account), claims)}
            answer = self._http().post(self._oauth, data=form)
            said = _json(answer)
            if answer.status_code != 200 or not isinstance(said.get("access_token"), str):
                raise Refused(
                    one_line(answer.status_code, str(said.get("error_description") or said.get("error") or ""))
                )
            made = said["access_token"]
            self._tokens[account] = made, now + float(said.get("expires_in") or 0) - EARLY_SECONDS
            return made

    def _http(self) -> httpx.Client:
        if self._client is None:
            self._client = httpx.Client(timeout=TIMEOUT, trust_env=False)
        return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _key(account: Account) -> rsa.RSAPrivateKey:
    try:
        key = load_pem_private_key(account.private_key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("no RSA key in PEM")
    return key


def _body(delivery: Delivery) -> dict[str, Any]:
    said, whole = notification_of(delivery), payload(delivery)
    is_urgent = said.urgency == "high"
    shown = {"title": whole["title"], "body": whole["body"], "image": said.image}
    message = {
        "token": delivery.address,
        "notification": {name: value for name, value in shown.items() if value},
        "data": {**said.data, **{name: whole[name] for name in _DATA if name in whole}},
        "android": {
            "collapse_key": whole["tag"],
            "priority": "HIGH" if is_urgent else "NORMAL",
            "ttl": f"{said.ttl}s",
            "notification": {"tag": whole["tag"]},
        },
        "apns": {
            "headers": {
                "apns-priority": "10" if is_urgent else "5",
                "apns-expiration": str(int(time.time()) + said.ttl),
                "apns-collapse-id": whole["tag"].encode()[:64].decode(errors="ignore"),
            }
        },
    }
    return {"message": message}


def _outcome(answer: httpx.Response, delivery: Delivery) -> Outcome:
    """https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode"""
    status, said = answer.status_code, _json(answer)
    if status == 200:
        return Accepted(str(said.get("name") or "")[:500])
    found = said.get("error")
    error = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    details = [each for each in error.get("details") or () if isinstance(each, dict)]
    code = next((str(each["errorCode"]) for each in details if "errorCode" in each), str(error.get("status") or ""))
    text = one_line(status, f"{code} {error.get('message') or ''}")
    is_invalid = code == "INVALID_ARGUMENT" and NO_TOKEN in str(error.get("message") or "")
    if code == "UNREGISTERED" or is_invalid or _blames_the_token(details):
        kinds = [each for each in delivery.devices if each.token == delivery.address] or [
            Device(ANDROID, delivery.address)
        ]
        return Rejected(f"unregistered: {text}", gone=[each.id for each in kinds])
    if status == 429:
        return Unavailable(text, retry_after(answer.headers) or QUOTA_SECONDS)
    if status >= 500 or status in (401, 404) or (status == 403 and code != "SENDER_ID_MISMATCH"):  # account, project
        return Unavailable(text, retry_after(answer.headers))
    return Rejected(text)


def _blames_the_token(details: list[dict[str, Any]]) -> bool:
    violations = [each for detail in details for each in detail.get("fieldViolations") or ()]
    return any(isinstance(each, dict) and each.get("field") == "message.token" for each in violations)


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return {}
    return cast("dict[str, Any]", said) if isinstance(said, dict) else {}


provider = FcmProvider()

"""Signatures of Standard Webhooks: HMAC-SHA256 over id, time and body. Both ways."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping

TOLERANCE_SECONDS = 300
PREFIX = "whsec_"
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def key_of(secret: str) -> bytes:
    """The key in a secret; raises `ValueError` where it holds none."""
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    if not key:
        raise ValueError("the secret is empty")
    return key


def new_secret() -> str:
    """A secret of our making."""
    return PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def sign(secret: str, name: str, timestamp: int, body: bytes) -> str:
    """One signature as it stands in the header."""
    content = b".".join((name.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), content, "sha256")).decode()


def headers(secret: str, name: str, timestamp: int, body: bytes) -> dict[str, str]:
    return {ID: name, TIMESTAMP: str(timestamp), SIGNATURE: sign(secret, name, timestamp, body)}


def verify(secret: str, given: Mapping[str, str], body: bytes, now: float, prefix: str = "webhook") -> bool:
    """Whether one of the signatures is ours and its time is near; `given` has names in lower case."""
    name, stamp = given.get(f"{prefix}-id", ""), given.get(f"{prefix}-timestamp", "")
    if not name or not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        return False
    if abs(now - int(stamp)) > TOLERANCE_SECONDS:
        return False
    try:
        ours = sign(secret, name, int(stamp), body).encode()
    except ValueError:
        return False
    signatures = given.get(f"{prefix}-signature", "").encode(errors="replace").split(b" ")
    return sum(hmac.compare_digest(ours, each) for each in signatures) > 0  # every one is compared

"""The address at which a provider reports: it names the provider, and holds what only we could have signed."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from urllib.parse import quote

_MAC, _WORKSPACE = 19, 4  # bytes; with the number of the secret 24, so that base 64 has no spare bits
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}\Z")


def reports_url(base: str, secrets: Sequence[bytes], workspace: int, name: str) -> str:
    """Signed with the newest secret, so that it stays good as long as that one is kept."""
    return f"{base.rstrip('/')}/reports/{quote(name, safe='')}/{token(secrets, workspace, name)}"


def token(secrets: Sequence[bytes], workspace: int, name: str) -> str:
    key_id = len(secrets) - 1
    payload = bytes([key_id]) + workspace.to_bytes(_WORKSPACE, "big")
    return urlsafe_b64encode(payload + _mac(secrets[key_id], payload, name)).decode()


def workspace_of(secrets: Sequence[bytes], token: str, name: str) -> int | None:
    """The workspace that a token names together with this provider; None where we did not sign it."""
    if not _TOKEN.match(token):
        return None
    raw = urlsafe_b64decode(token)
    payload, mac = raw[: 1 + _WORKSPACE], raw[1 + _WORKSPACE :]
    key_id = min(payload[0], len(secrets) - 1)
    is_ours = hmac.compare_digest(_mac(secrets[key_id], payload, name), mac)
    return int.from_bytes(payload[1:], "big") if is_ours and payload[0] == key_id else None


def _mac(secret: bytes, payload: bytes, name: str) -> bytes:
    key = hmac.digest(secret, b"kizuna reports 1", "sha256")
    return hmac.digest(key, payload + name.encode(), "sha256")[:_MAC]

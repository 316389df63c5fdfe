"""Secrets of providers at rest: AES-GCM under a key derived from the installation's secret."""

from __future__ import annotations

import contextlib
import os
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kizuna.core.errors import Invalid


def secrets_of(installed: bytes, configured: str) -> list[bytes]:
    """The installation's own secret, then the one set by KIZUNA_SECRET: what was made before it was set stays good."""
    return [installed, configured.encode()] if configured else [installed]


def seal(secret: bytes, workspace: int, values: dict[str, Any]) -> str:
    """The values as text that only this installation and workspace can open."""
    nonce = os.urandom(12)
    sealed = _cipher(secret).encrypt(nonce, msgspec.json.encode(values), _bound_to(workspace))
    return b64encode(nonce + sealed).decode()


def unseal(secret: bytes, workspace: int, sealed: str) -> dict[str, Any]:
    raw = b64decode(sealed)
    try:
        return msgspec.json.decode(_cipher(secret).decrypt(raw[:12], raw[12:], _bound_to(workspace)))
    except InvalidTag:
        raise Invalid("the provider's secrets were sealed with another KIZUNA_SECRET: set them again") from None


def _cipher(secret: bytes) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, salt=None, info=b"kizuna providers 1").derive(secret))


def _bound_to(workspace: int) -> bytes:
    return f"workspace {workspace}".encode()


def unseal_any(secrets: Sequence[bytes], workspace: int, sealed: str) -> dict[str, Any]:
    """With whichever of the installation's secrets it was sealed."""
    for secret in secrets[:-1]:
        with contextlib.suppress(Invalid):
            return unseal(secret, workspace, sealed)
    return unseal(secrets[-1], workspace, sealed)

"""Signed tokens (RFC 7519) as providers ask for them: ES256 and RS256."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def token(key: Key, claims: Mapping[str, Any], **header: str) -> str:
    """Three parts with dots between; `header` beside `typ` and `alg`, which follows from the key."""
    is_ec = isinstance(key, ec.EllipticCurvePrivateKey)
    named = {"typ": "JWT", "alg": "ES256" if is_ec else "RS256", **header}
    said = ".".join(encode(msgspec.json.encode(part)) for part in (named, claims))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(said.encode(), ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    else:
        signature = key.sign(said.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{said}.{encode(signature)}"


def encode(raw: bytes) -> str:
    """Base 64 for addresses, without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Takes padding and both alphabets; raises `ValueError`."""
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    if not plain.isascii() or not plain.replace("-", "").replace("_", "").isalnum():
        raise ValueError("not base 64")
    return urlsafe_b64decode(plain + "=" * (-len(plain) % 4))

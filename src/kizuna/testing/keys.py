"""Keys that sign mail in tests, made when asked for."""

from __future__ import annotations

from base64 import b64encode
from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kizuna.providers.dkim_key import DkimKey

SEED = b64encode(bytes(range(32))).decode()
PKCS1, PKCS8 = PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8


@cache
def rsa_pem(bits: int = 1024, form: PrivateFormat = PKCS8) -> str:
    return generate_private_key(65537, bits).private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def both_kinds(domain: str = "shop.example") -> list[DkimKey]:
    return [
        DkimKey(domain, "r2026", "rsa-sha256", rsa_pem()),
        DkimKey(domain, "e2026", "ed25519-sha256", SEED),
    ]

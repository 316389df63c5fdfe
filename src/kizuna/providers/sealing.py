"""Encryption of web push (RFC 8291) in one record of `aes128gcm` (RFC 8188): only the browser can read it."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD_SIZE = 4096
MOST_SEALED = 4096  # bytes that every push service must take (RFC 8030, section 7.2)
_OVERHEAD = 16 + 4 + 1 + 65 + 1 + 16  # salt, record size, key length, key, delimiter, tag
MOST_PLAIN = MOST_SEALED - _OVERHEAD
_LAST_RECORD = b"\x02"

CURVE = ec.SECP256R1()


def seal(plain: bytes, browser_key: bytes, auth: bytes, own: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """The body to post. `own` and `salt` must be new each time; raises `ValueError` for a key that is none."""
    if len(plain) > MOST_PLAIN:
        raise ValueError(f"longer than {MOST_PLAIN} bytes")
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, browser_key)
    own_key = point_of(own)
    shared = own.exchange(ec.ECDH(), theirs)
    material = _derive(auth, shared, b"WebPush: info\x00" + browser_key + own_key, 32)
    cipher = AESGCM(_derive(salt, material, b"Content-Encoding: aes128gcm\x00", 16))
    nonce = _derive(salt, material, b"Content-Encoding: nonce\x00", 12)
    header = salt + RECORD_SIZE.to_bytes(4, "big") + bytes([len(own_key)]) + own_key
    return header + cipher.encrypt(nonce, plain + _LAST_RECORD, None)


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public key as 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derive(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(material)

"""Keys that sign mail: read from the forms in which people have them, once, and checked when they are set."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)
from msgspec import Struct

from kizuna.core.errors import FieldError, Invalid
from kizuna.core.iri import ascii_domain

SHORTEST_RSA = 1024  # RFC 8301: a shorter key signs nothing
USUAL_RSA = 2048
ALGORITHMS = {"rsa-sha256": "rsa-sha256", "rsa": "rsa-sha256"} | {
    "ed25519-sha256": "ed25519-sha256", "ed25519": "ed25519-sha256",
}  # fmt: skip
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z", re.IGNORECASE)
_SHA256 = hashes.SHA256()
_PADDING = PKCS1v15()


class DkimKey(Struct, frozen=True, forbid_unknown_fields=True):
    """As it is set: whose name it signs in, where its public half is found, and the key itself."""

    domain: str
    selector: str
    algorithm: str
    private_key: str


class Signer(Struct, frozen=True):
    """A key that was read. `sign` gives the signature of bytes, always the same for the same bytes."""

    domain: str
    selector: str
    algorithm: str
    bits: int
    public: str  # as the DNS says it
    sign: Callable[[bytes], bytes]

    def record(self) -> dict[str, str]:
        """What to publish, so that receivers can verify (RFC 6376 section 3.6.2)."""
        name, kind = f"{self.selector}._domainkey.{self.domain}", self.algorithm.partition("-")[0]
        return {"type": "TXT", "name": name, "value": f"v=DKIM1; k={kind}; p={self.public}"}


@lru_cache(256)
def signer(key: DkimKey) -> Signer:
    """Raises `Invalid` with the place within the key. Reading an RSA key costs as much as signing a hundred mails."""
    algorithm = ALGORITHMS.get(key.algorithm.lower())
    if algorithm is None:
        raise _wrong("algorithm", "unsupported", "one of rsa-sha256, ed25519-sha256")
    names = {"domain": ascii_name(key.domain), "selector": ascii_name(key.selector)}
    for field, name in names.items():
        if len(name) > 253 or not _NAME.match(name):
            raise _wrong(field, "invalid_name", "write a name of the DNS, as in mail.example.com")
    private = _read(key.private_key)
    made = "rsa-sha256" if isinstance(private, RSAPrivateKey) else "ed25519-sha256"
    if made != algorithm:
        raise _wrong("algorithm", "wrong_algorithm", f"this key signs by {made}")
    if isinstance(private, Ed25519PrivateKey):
        public = private.public_key().public_bytes_raw()
        bits, sign = 256, _by_ed25519(private)
    else:
        public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        bits, sign = private.key_size, _by_rsa(private)
    if isinstance(private, RSAPrivateKey) and bits < SHORTEST_RSA:
        raise _wrong("private_key", "short_key", f"{bits} bits are too few: 2048 are usual, {SHORTEST_RSA} the least")
    return Signer(**names, algorithm=made, bits=bits, public=b64encode(public).decode(), sign=sign)


def problems(keys: Sequence[DkimKey]) -> list[FieldError]:
    """Why these cannot be set, each with its place in the list."""
    found: list[FieldError] = []
    seen: set[tuple[str, str]] = set()
    for at, key in enumerate(keys):
        try:
            read = signer(key)
        except Invalid as error:
            found += [FieldError(f"/{at}{each.pointer}", each.code, each.message) for each in error.errors]
            continue
        place = read.domain.lower(), read.selector.lower()
        if place in seen:
            found.append(FieldError(f"/{at}/selector", "duplicate", "two keys cannot be published under one name"))
        seen.add(place)
    return found


def doubts(keys: Sequence[DkimKey], sender: str) -> list[FieldError]:
    """What may be set and will disappoint: receivers compare the signature's domain with the sender's (DMARC)."""
    signers = [signer(key) for key in keys]
    found = [
        FieldError(f"/{at}/private_key", "short_key", f"{each.bits} bits: receivers prefer {USUAL_RSA} or more")
        for at, each in enumerate(signers)
        if each.algorithm == "rsa-sha256" and each.bits < USUAL_RSA
    ]
    domain = ascii_name(sender.rpartition("@")[2])
    if signers and not any(is_aligned(each.domain, domain) for each in signers):
        said = f"mail from {domain} is not vouched for by {signers[0].domain}: DMARC does not count the signature"
        found.append(FieldError("/0/domain", "not_aligned", said))
    return found


def is_aligned(one: str, other: str) -> bool:
    """Of one organisation, as far as names tell: the list of public suffixes is not ours to carry."""
    first, second = one.lower().split("."), other.lower().split(".")
    shared = 0
    while shared < min(len(first), len(second)) and first[-1 - shared] == second[-1 - shared]:
        shared += 1
    is_second_level = len(first[-1]) == 2 and len(first[-2:][0]) <= 3  # co.jp, com.br
    return first == second or 1 < shared == min(len(first), len(second)) or shared >= (3 if is_second_level else 2)


def _read(text: str) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        if "-----BEGIN" in text:
            private = load_pem_private_key(text.strip().encode(), None)
        else:
            raw = b64decode("".join(text.split()), validate=True)
            private = Ed25519PrivateKey.from_private_bytes(raw) if len(raw) == 32 else load_der_private_key(raw, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it asks for a password
        forms = "write PEM (PKCS#1 or PKCS#8, without a password) or the 32 bytes of an Ed25519 seed in base64"
        raise _wrong("private_key", "unreadable_key", forms) from None
    if not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
        raise _wrong("private_key", "unreadable_key", "mail is signed by RSA or Ed25519 keys, this is neither")
    return private


def _by_rsa(private: RSAPrivateKey) -> Callable[[bytes], bytes]:
    return lambda data: private.sign(data, _PADDING, _SHA256)


def _by_ed25519(private: Ed25519PrivateKey) -> Callable[[bytes], bytes]:
    """RFC 8463 section 3: it signs the hash, not the text."""

    def sign(data: bytes) -> bytes:
        digest = hashes.Hash(_SHA256)
        digest.update(data)
        return private.sign(digest.finalize())

    return sign


def ascii_name(name: str) -> str:
    """A domain of other letters signs under its ASCII form (RFC 6376 section 3.5)."""
    try:
        return ascii_domain(name.strip()).encode("idna").decode()
    except UnicodeError:
        return ""


def _wrong(field: str, code: str, message: str) -> Invalid:
    return Invalid(
        f"dkim: {field}: {message}", code="invalid_settings", errors=[FieldError(f"/{field}", code, message)]
    )

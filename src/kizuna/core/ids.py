"""Ids: derived from what they name, so that a replay writes the same ones."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hashlib import blake2b
from struct import Struct

from kizuna.core.errors import Invalid

PARTITIONS_DEFAULT = 64
ID_BYTES = 16


def derive(*parts: str | bytes | int) -> bytes:
    """A 16-byte id from the parts that cause it; parts are length-framed, so none can imitate two."""
    raw = [part if type(part) is bytes else str(part).encode() for part in parts]
    framed = b"".join([piece for part in raw for piece in (len(part).to_bytes(4, "big"), part)])
    return blake2b(framed, digest_size=ID_BYTES).digest()


def fact_id(profile: bytes, cause: str, name: str, at: int, serial: int) -> bytes:
    """As `derive("fact", ...)` of the same, which is asked for most often."""
    parts = (cause.encode(), name.encode(), b"%d" % at, b"%d" % serial)
    framed = b"".join([piece for part in parts for piece in (_length(len(part)), part)])
    return blake2b(_FACT + profile + framed, digest_size=ID_BYTES).digest()


_length = Struct(">I").pack
_FACT = _length(4) + b"fact" + _length(ID_BYTES)


def profile_id(workspace: int, kind: str, value: str) -> bytes:
    """The id of the profile that `kind` (`user` or `anon`) `value` names, before any merge."""
    return blake2b(f"{workspace}\x00{kind}\x00{value}".encode(), digest_size=ID_BYTES).digest()


def profile_ids(workspace: int, kind: str) -> Callable[[str], bytes]:
    """`profile_id` for many values: what is the same in all of them is hashed once."""
    begun = blake2b(f"{workspace}\x00{kind}\x00".encode(), digest_size=ID_BYTES)

    def of(value: str) -> bytes:
        own = begun.copy()
        own.update(value.encode())
        return own.digest()

    return of


def partition_of(profile: bytes, partitions: int) -> int:
    """The partition that owns a profile id."""
    return int.from_bytes(profile[:4], "big") % partitions


def bucket(*parts: str | bytes) -> int:
    """A stable bucket 0..9999."""
    return int.from_bytes(derive(*parts)[:8], "big") % 10_000


def show(prefix: str, raw: bytes) -> str:
    """`prf_3f0c...`: the outer form of a 16-byte id; sorts as the bytes do."""
    return f"{prefix}_{raw.hex()}"


def read(prefix: str, text: str) -> bytes:
    """The 16 bytes of an outer id; raises `Invalid` when it is not one."""
    head, _, digits = text.partition("_")
    if head == prefix and len(digits) == 2 * ID_BYTES and digits.isalnum():
        try:
            return bytes.fromhex(digits)
        except ValueError:
            pass
    raise Invalid(f"{text!r} is not an id of the form {prefix}_...", code="invalid_id")


def secret(prefix: str) -> str:
    """A new unguessable token (256 bits)."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"

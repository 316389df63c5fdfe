"""Ids: derived from what they name, so that a replay writes the same ones."""

from __future__ import annotations

import secrets
from hashlib import blake2b

from kizuna.core.errors import Invalid

PARTITIONS_DEFAULT = 64
ID_BYTES = 16

_SHORT = [length.to_bytes(4, "big") for length in range(256)]  # every fact needs some


def derive(*parts: str | bytes | int) -> bytes:
    """A 16-byte id from the parts that cause it; parts are length-framed, so none can imitate two."""
    framed: list[bytes] = []
    for part in parts:
        raw = part if isinstance(part, bytes) else part.encode() if isinstance(part, str) else str(part).encode()
        length = len(raw)
        framed.append(_SHORT[length] if length < 256 else length.to_bytes(4, "big"))
        framed.append(raw)
    return blake2b(b"".join(framed), digest_size=ID_BYTES).digest()


def profile_id(workspace: int, kind: str, value: str) -> bytes:
    """The id of the profile that `kind` (`user` or `anon`) `value` names, before any merge."""
    return blake2b(f"{workspace}\x00{kind}\x00{value}".encode(), digest_size=ID_BYTES).digest()


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

"""DKIM signatures (RFC 6376, RFC 8463): relaxed/relaxed, by each key, the same bytes for the same mail."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache

from kizuna.providers.dkim_key import Signer

# Nobody may add one of these on the way either: each is signed once more than the mail bears it.
SEALED = (
    "From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post",
    "Content-Type",
)  # fmt: skip
_OURS_WHERE_PRESENT = frozenset({"list-unsubscribe", "list-unsubscribe-post"})  # else a relay may add its own
_NEVER = frozenset({"received", "return-path", "dkim-signature", "bcc"})  # changed on the way (RFC 6376 section 5.4)
_WIDE = re.compile(rb"[ \t]{2,}|\t")
_LINE = 76


def signed(raw: bytes, signers: Sequence[Signer], at: int) -> bytes:
    """The mail with a signature of each above it. `at` is its own date: a second attempt bears the same bytes."""
    if not signers:
        return raw
    head, _, body = raw.partition(b"\r\n\r\n")
    fields = _fields(head + b"\r\n")
    names = covered(tuple([name for name, _ in fields]))
    data = b"".join(f + b"\r\n" for f in chosen(fields, names))
    bh = b64encode(hashlib.sha256(canonical_body(body)).digest()).decode()
    return b"".join([*(_signature(signer, names, data, bh, at) for signer in signers), raw])


@lru_cache(256)
def covered(present: tuple[str, ...]) -> tuple[str, ...]:
    """What `h=` names: all that the mail bears, then once more what nobody may add."""
    lower = [name.lower() for name in present]
    listed = [name for name, low in zip(present, lower, strict=True) if low not in _NEVER]
    extra = [name for name in SEALED if name.lower() in lower or name.lower() not in _OURS_WHERE_PRESENT]
    return *listed, *extra


def chosen(fields: Sequence[tuple[str, bytes]], names: Sequence[str]) -> list[bytes]:
    """The canonical fields that `h=` names: of several by one name the lowest first, of none nothing."""
    return [canonical_header(fields[at][1]) for at in _order(tuple([name for name, _ in fields]), tuple(names))]


@lru_cache(256)
def _order(present: tuple[str, ...], names: tuple[str, ...]) -> list[int]:
    """Where each that is named stands: hardly ever in another mail elsewhere."""
    left: dict[str, list[int]] = {}
    for at, name in enumerate(present):
        left.setdefault(name.lower(), []).append(at)
    found = (left.get(name.lower()) for name in names)
    return [each.pop() for each in found if each]


def canonical_header(field: bytes) -> bytes:
    """RFC 6376 section 3.4.2, without the line's end."""
    name, _, value = field.replace(b"\r\n", b"").partition(b":")
    return name.rstrip(b" \t").lower() + b":" + _squeezed(value).strip(b" ")


def canonical_body(body: bytes) -> bytes:
    """RFC 6376 section 3.4.4: spaces squeezed, none at a line's end, no empty lines at the end, one line end there."""
    if not _is_tidy(body):
        body = _squeezed(body).replace(b" \r\n", b"\r\n").removesuffix(b" ")
    end = len(body)
    while end and body[end - 2 : end] == b"\r\n":
        end -= 2
    return body[:end] + b"\r\n" if end else b""


def _is_tidy(text: bytes) -> bool:
    """No blanks but spaces that stand alone within a line, as in base64. One letter is found faster than two."""
    return b"\t" not in text and not any(after[:2] in (b"", b"\r\n") for after in text.split(b" ")[1:])


def _squeezed(text: bytes) -> bytes:
    return _WIDE.sub(b" ", text) if b"  " in text or b"\t" in text else text


def _signature(signer: Signer, names: tuple[str, ...], data: bytes, bh: str, at: int) -> bytes:
    """`b=` stands last and empty while it is made; it is folded, which verifiers take out again."""
    lines = [
        f"DKIM-Signature: v=1; a={signer.algorithm}; c=relaxed/relaxed;",
        f" d={signer.domain}; s={signer.selector};",
        f" t={at};",
        _folded(names),
        f" bh={bh};",
        " b=",
    ]
    field = "\r\n".join(lines).encode()
    b = b64encode(signer.sign(data + canonical_header(field))).decode()
    room = _LINE - 3
    rest = "".join(f"\r\n {b[start : start + _LINE - 1]}" for start in range(room, len(b), _LINE - 1))
    return field + f"{b[:room]}{rest}\r\n".encode()


@lru_cache(256)
def _folded(names: tuple[str, ...]) -> str:
    """The lines of `h=`, broken behind colons."""
    lines = [" h="]
    for at, name in enumerate(names):
        part = name + (";" if at == len(names) - 1 else ":")
        if len(lines[-1]) + len(part) > _LINE:
            lines.append("  ")
        lines[-1] += part
    return "\r\n".join(lines)


def _fields(head: bytes) -> list[tuple[str, bytes]]:
    """Each header with its name; a line that begins with a space belongs to the one before."""
    found: list[tuple[str, bytes]] = []
    for line in head.split(b"\r\n")[:-1]:
        if line[:1] in (b" ", b"\t") and found:
            name, field = found[-1]
            found[-1] = name, field + b"\r\n" + line
        else:
            found.append((line.partition(b":")[0].rstrip(b" \t").decode("ascii", "replace"), line))
    return found

"""A receiver's view of a signed mail: verifies DKIM from RFC 6376 alone, sharing nothing with the code that signs."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key


def verdicts(raw: bytes, dns: Mapping[str, str]) -> list[str]:
    """For each signature from the top: `pass`, or why not. `dns` holds TXT records by name."""
    fields, body = taken_apart(raw)
    return [_verdict(line, fields, body, dns) for name, line in fields if name == "dkim-signature"]


def signed_names(raw: bytes) -> list[list[str]]:
    """What `h=` of each signature names, in small letters."""
    lines = [line for name, line in taken_apart(raw)[0] if name == "dkim-signature"]
    return [[name.strip().lower() for name in tags(line)["h"].split(":")] for line in lines]


def taken_apart(raw: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """Fields as they stand, each with its name in small letters; and the body."""
    fields: list[tuple[str, bytes]] = []
    rest = raw
    while rest and not rest.startswith(b"\r\n"):
        end = rest.index(b"\r\n") + 2
        while rest[end : end + 1] in (b" ", b"\t"):
            end = rest.index(b"\r\n", end) + 2
        line, rest = rest[:end], rest[end:]
        fields.append((line[: line.index(b":")].strip().lower().decode(), line))
    return fields, rest[2:]


def tags(line: bytes) -> dict[str, str]:
    value = line[line.index(b":") + 1 :].decode()
    pairs = [part.split("=", 1) for part in value.split(";") if part.strip()]
    return {name.strip(): "".join(said.split()) for name, said in pairs}


def _verdict(line: bytes, fields: list[tuple[str, bytes]], body: bytes, dns: Mapping[str, str]) -> str:
    said = tags(line)
    record = tags(b":" + dns.get(f"{said['s']}._domainkey.{said['d']}", "").encode())
    if not record:
        return "no key"
    if said["v"] != "1" or said["c"] != "relaxed/relaxed" or said["a"] != f"{record.get('k', 'rsa')}-sha256":
        return "not understood"
    if base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode() != said["bh"]:
        return "the body changed"
    below = list(reversed(fields))
    data = b""
    for name in said["h"].lower().split(":"):
        for at, (present, field) in enumerate(below):
            if present == name:
                data += relaxed_field(field) + b"\r\n"
                del below[at]
                break
    data += relaxed_field(line[: line.rindex(b"b=") + 2])
    try:
        _check(base64.b64decode(record["p"]), base64.b64decode(said["b"]), data, said["a"])
    except InvalidSignature:
        return "the headers changed"
    return "pass"


def _check(public: bytes, signature: bytes, data: bytes, algorithm: str) -> None:
    if algorithm == "ed25519-sha256":
        Ed25519PublicKey.from_public_bytes(public).verify(signature, hashlib.sha256(data).digest())
        return
    key = load_der_public_key(public)
    assert isinstance(key, RSAPublicKey)  # noqa: S101
    key.verify(signature, data, PKCS1v15(), SHA256())


def relaxed_field(field: bytes) -> bytes:
    name, value = field.decode("utf-8", "surrogateescape").split(":", 1)
    value = value.replace("\r\n", "").replace("\t", " ")
    said = f"{name.strip(' ').lower()}:{' '.join(word for word in value.split(' ') if word)}"
    return said.encode("utf-8", "surrogateescape")


def relaxed_body(body: bytes) -> bytes:
    """Line by line, letter by letter: slow and plain."""
    lines = body.split(b"\r\n")
    if lines[-1] == b"":
        lines.pop()
    made: list[bytes] = []
    for line in lines:
        kept = bytearray()
        for letter in line.replace(b"\t", b" "):
            if letter == 0x20 and kept[-1:] == b" ":
                continue
            kept.append(letter)
        made.append(bytes(kept[:-1] if kept[-1:] == b" " else kept))
    while made and not made[-1]:
        made.pop()
    return b"".join(line + b"\r\n" for line in made)

"""A mail as bytes, built by hand: the library's objects cost thirty times as much."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from struct import Struct
from urllib.parse import quote

from kizuna.core.errors import Invalid
from kizuna.providers import Delivery
from kizuna.providers.header import header_line, mailbox, refuse_breaks, split_mailbox, wire_address

OURS = frozenset({
    "from", "to", "cc", "bcc", "subject", "date", "message-id", "mime-version", "content-type",
    "content-transfer-encoding", "dkim-signature",
})  # fmt: skip
_FIELD_NAME = re.compile(r"[!-9;-~]{1,60}\Z")  # RFC 5322 section 3.6.8
_OUR_ID = re.compile(r"\s*<?(msg_[^@\s<>]{1,100})@")
_VISIBLE = "".join(map(chr, range(32, 127)))


def build(delivery: Delivery, sender: str) -> bytes:
    """RFC 5322 with CRLF; raises `Invalid` for what none can hold: a line break or NUL in a header, half a letter."""
    from_line, address = _from(sender)
    lines = [
        from_line,
        header_line("To", mailbox("", delivery.address)),
        header_line("Subject", delivery.subject or "", is_text=True),
        f"Date: {formatdate(delivery.at)[:-5]}+0000",
        f"Message-ID: {message_id(delivery.message, address)}",
        *(_extra(key, value) for key, value in delivery.headers.items()),
        "MIME-Version: 1.0",
    ]
    if delivery.html is None:
        part_headers, body = _part("text/plain", delivery.text)
    else:
        part_headers, body = _alternatives(delivery)
    head = "\r\n".join([*lines, *_lines(part_headers), "", ""]).encode()
    return head + body


@lru_cache(256)
def _from(sender: str) -> tuple[str, str]:
    """Its line, and its address."""
    name, address = split_mailbox(sender)
    return header_line("From", mailbox(name, address)), address


def message_id(message: str, sender: str) -> str:
    """The same for every attempt, so that a mail sent twice can be seen to be one."""
    return f"<{message}@{wire_address(sender).rpartition('@')[2] or 'kizuna.invalid'}>"


def message_named(said: str) -> str:
    """The message that a Message-ID of ours names, with its brackets or without; nothing where it is another's."""
    found = _OUR_ID.match(said)
    return found[1] if found else ""


def _extra(key: str, value: str) -> str:
    """A header beside ours. Those of lists hold addresses, which are never encoded words (RFC 2369)."""
    if not _FIELD_NAME.match(key):
        raise Invalid(f"{key!r} is no name of a header", code="invalid_header")
    if key.lower() in OURS:
        raise Invalid(f"{key} is made by Kizuna", code="invalid_header")
    is_list = key.lower().startswith("list-")
    refuse_breaks(key, value)
    return header_line(key, quote(value, safe=_VISIBLE) if is_list else value, is_text=not is_list)


def _lines(headers: Mapping[str, str]) -> list[str]:
    return [f"{key}: {value}" for key, value in headers.items()]


def _part(kind: str, text: str) -> tuple[dict[str, str], bytes]:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        raw = text.encode().replace(b"\n", b"\r\n")
    except UnicodeEncodeError:
        raise Invalid("the body holds half of a letter (a lone surrogate)", code="invalid_body") from None
    encoded = b2a_base64(raw, newline=False)
    lines = b"\r\n".join(_cut(len(encoded)).unpack(encoded))
    return {"Content-Type": f"{kind}; charset=utf-8", "Content-Transfer-Encoding": "base64"}, lines + b"\r\n"


@lru_cache(1_000)
def _cut(length: int) -> Struct:
    """Into lines, in a third of the time that slices take."""
    whole, rest = divmod(length, 76)
    return Struct("76s" * whole + (f"{rest}s" if rest else ""))


def _alternatives(delivery: Delivery) -> tuple[dict[str, str], bytes]:
    boundary = f"=_{delivery.message}"
    parts: list[bytes] = []
    for kind, text in (("text/plain", delivery.text), ("text/html", delivery.html or "")):
        headers, body = _part(kind, text)
        parts += ["\r\n".join([f"--{boundary}", *_lines(headers), "", ""]).encode(), body, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return {"Content-Type": f'multipart/alternative; boundary="{boundary}"'}, b"".join(parts)

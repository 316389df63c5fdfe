"""A mail of anybody's making as its parts: in time that grows with its size only, whatever it holds."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Mapping
from email.errors import HeaderParseError
from email.header import decode_header

from msgspec import Struct, field

from kizuna.core.entities import unescape

MOST_BYTES = 1024 * 1024
MOST_DEPTH = 8  # of parts in parts
MOST_PARTS = 64
MOST_HEADERS = 500
MOST_VALUE = 2_000  # characters of a header
MOST_TEXT = 200_000  # characters of a part that are looked at

_PARAMETER = re.compile(r';\s*([\w*-]{1,40})\s*=\s*("[^"]*"|[^\s;"]+)')
_TAG = re.compile(r"<[^<>]*>")
# Those that mails are written in; what else Python knows may be slow, or no charset at all.
_CHARSET = re.compile(
    r"utf-?8|us-ascii|iso-8859-\d{1,2}|iso-2022-(?:jp|kr)|euc-(?:jp|kr)|shift[_-]jis|cp932|windows-\d{3,4}|koi8-[ru]"
    r"|gb2312|gbk|gb18030|big5|ks_c_5601-1987",
    re.ASCII,
)


class Part(Struct, frozen=True):
    """A leaf; of a mail within the mail only the text as it stands."""

    kind: str  # its media type, lower case
    text: str
    headers: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])

    @property
    def holds_a_mail(self) -> bool:
        return self.kind in ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")


class Mail(Struct, frozen=True):
    headers: Mapping[str, list[str]]  # by lower-case name, unfolded and decoded
    kind: str
    parts: list[Part]

    def first(self, name: str) -> str:
        return self.headers.get(name, [""])[0]


def parse(raw: bytes) -> Mail:
    """Never raises: what cannot be read is text."""
    raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").lstrip(b"\n")
    if raw.startswith(b"From "):  # a line of a mailbox file
        raw = raw.partition(b"\n")[2]
    head, body = _split(raw)
    headers = read_headers(head)
    kind, _ = _media(headers)
    parts: list[Part] = []
    _gather(headers, body, 0, parts)
    return Mail(headers, kind, parts)


def _split(raw: bytes) -> tuple[str, bytes]:
    if raw.startswith(b"\n"):
        return "", raw[1:]
    head, _, body = raw.partition(b"\n\n")
    return head.decode("utf-8", "replace"), body


def read_headers(head: str) -> dict[str, list[str]]:
    """Of a block of lines; ends at the first that is empty."""
    lines: list[list[str]] = []
    for line in head.split("\n"):
        if not line:
            break
        if line[0] in " \t" or ":" not in line:  # some forget to fold what they break
            if lines:
                lines[-1].append(line.strip())
        elif len(lines) < MOST_HEADERS:
            lines.append([line])
    headers: dict[str, list[str]] = {}
    for pieces in lines:
        name, colon, value = " ".join(pieces).partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), []).append(_decoded(value.strip()[:MOST_VALUE]))
    return headers


def _decoded(value: str) -> str:
    """Encoded words of RFC 2047 as what they mean."""
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    return "".join(
        piece if isinstance(piece, str) else _text(piece, (charset or "us-ascii").lower()) for piece, charset in pieces
    )


def _media(headers: Mapping[str, list[str]]) -> tuple[str, dict[str, str]]:
    """The media type and its parameters."""
    value = headers.get("content-type", ["text/plain"])[0]
    parameters = {name.lower(): said.strip('"') for name, said in _PARAMETER.findall(value)}
    return value.partition(";")[0].strip().lower(), parameters


def _gather(headers: Mapping[str, list[str]], body: bytes, depth: int, parts: list[Part]) -> None:
    if len(parts) >= MOST_PARTS:
        return
    kind, parameters = _media(headers)
    boundary = parameters.get("boundary", "")
    if kind.startswith("multipart/") and boundary and depth < MOST_DEPTH:
        for piece in _pieces(body, boundary.encode()):
            head, inner = _split(piece)
            _gather(read_headers(head), inner, depth + 1, parts)
        return
    encoding = headers.get("content-transfer-encoding", [""])[0].strip().lower()
    charset = parameters.get("charset", "utf-8").strip("'\" ").lower()
    text = _text(_plain(body, encoding)[: 4 * MOST_TEXT], charset)[:MOST_TEXT].replace("\r\n", "\n")
    parts.append(Part(kind, without_tags(text) if kind == "text/html" else text, headers))


def _pieces(body: bytes, boundary: bytes) -> list[bytes]:
    """Between the boundaries; what stands before the first is kept only where there is nothing else."""
    line = re.compile(rb"\n--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\n|$)")
    body = b"\n" + body
    pieces: list[bytes] = []
    start: int | None = None
    for found in line.finditer(body):
        if start is not None:
            pieces.append(body[start : found.start()])
        start = None if found.group(1) else found.end() + 1
        if start is None or len(pieces) >= MOST_PARTS:
            break
    if start is not None and len(pieces) < MOST_PARTS:
        pieces.append(body[start:])
    return pieces or [body]


def _plain(body: bytes, encoding: str) -> bytes:
    if encoding == "quoted-printable":
        return quopri.decodestring(body)
    if encoding == "base64":
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
        try:
            return base64.b64decode(letters[: len(letters) // 4 * 4] + _last(letters))
        except binascii.Error:
            return body
    return body


def _last(letters: bytes) -> bytes:
    rest = letters[len(letters) // 4 * 4 :]
    return rest + b"=" * (-len(rest) % 4) if len(rest) > 1 else b""


def _text(raw: bytes, charset: str) -> str:
    if not _CHARSET.fullmatch(charset):
        charset = "utf-8"
    try:
        return raw.decode(charset, "replace").replace("\x00", "")
    except LookupError:
        return raw.decode("latin-1").replace("\x00", "")


def without_tags(text: str) -> str:
    broken = re.sub(r"(?i)<br ?/?>|</?(?:p|div|tr|li|table|h\d)>", "\n", text)
    return unescape(_TAG.sub(" ", broken))

"""Links in messages: signed tokens, and the rewriting of a body so that opens and clicks are seen."""

from __future__ import annotations

import hmac
import html
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from struct import Struct
from typing import Any, NamedTuple

from kizuna.core.entities import unescape
from kizuna.core.errors import NotFound
from kizuna.messages.utm import is_off, tagged

UNSUBSCRIBE, CLICK, OPEN, VIEW, PREFERENCES, DISMISS, CONFIRM, HIDDEN, IN_PAGE = (
    b"u", b"c", b"o", b"v", b"p", b"d", b"y", b"t", b"i"
)  # fmt: skip
_TOKEN = re.compile(r"[A-Za-z0-9_-]{64}\Z")
_LAYOUT = Struct(">BI16scH")  # the secret's number, and a ticket
_PAYLOAD, _MAC = 24, 24  # bytes; together 48, so that base 64 has no spare bits that could differ unseen


class Ticket(NamedTuple):
    """What a token says: this message, for this purpose."""

    workspace: int
    message: bytes
    purpose: bytes
    link: int = 0  # which of its links


class Signer:
    """Signs with the newest secret and believes all of them; the secret's number is the token's key id."""

    def __init__(self, secrets: list[bytes]) -> None:
        self._keyed = [_keyed(hmac.digest(secret, b"kizuna links 1", "sha256")) for secret in secrets]

    def token(self, ticket: Ticket) -> str:
        key_id = len(self._keyed) - 1
        payload = _LAYOUT.pack(key_id, *ticket)
        return urlsafe_b64encode(payload + self._mac(key_id, payload)).decode()

    def read(self, token: str, purpose: bytes) -> Ticket:
        """Raises `NotFound` for anything that we did not sign for this purpose."""
        if not _TOKEN.match(token):
            raise NotFound("this link is not one of ours")
        raw = urlsafe_b64decode(token)
        payload, mac = raw[:_PAYLOAD], raw[_PAYLOAD:]
        key_id = min(payload[0], len(self._keyed) - 1)
        is_ours = hmac.compare_digest(self._mac(key_id, payload), mac)
        if not is_ours or payload[0] != key_id or payload[21:22] != purpose:
            raise NotFound("this link is not one of ours")
        return Ticket(*_LAYOUT.unpack(payload)[1:])

    def _mac(self, key_id: int, payload: bytes) -> bytes:
        inner, outer = self._keyed[key_id]
        inner, outer = inner.copy(), outer.copy()
        inner.update(payload)
        outer.update(inner.digest())
        return outer.digest()[:_MAC]


def _keyed(key: bytes) -> tuple[Any, Any]:
    """HMAC (RFC 2104) as far as its key goes, which costs more than all the rest: copied for each token."""
    block = key.ljust(64, b"\0")
    return sha256(bytes(byte ^ 0x36 for byte in block)), sha256(bytes(byte ^ 0x5C for byte in block))


class Links:
    """The addresses of one message."""

    def __init__(self, signer: Signer, base: str, workspace: int, message: bytes) -> None:
        self._signer = signer
        self._base = base.rstrip("/")
        self._workspace = workspace
        self._message = message
        self._places = tuple([f"{self._base}/{path}/" for path in "ucovpdyt"])

    @cached_property
    def unsubscribe(self) -> str:
        return self._url("u", UNSUBSCRIBE)

    @property
    def view(self) -> str:
        return self._url("v", VIEW)

    @property
    def preferences(self) -> str:
        return self._url("p", PREFERENCES)

    @property
    def confirm(self) -> str:
        return self._url("y", CONFIRM)

    @property
    def pixel(self) -> str:
        return self._url("o", OPEN) + ".gif"

    @property
    def trap(self) -> str:
        return self._url("t", HIDDEN)

    @property
    def dismissed(self) -> str:
        return self._url("d", DISMISS)

    def click(self, index: int) -> str:
        return self._url("c", CLICK, index)

    def is_ours(self, url: str) -> bool:
        return url.startswith(self._places)

    def _url(self, path: str, purpose: bytes, index: int = 0) -> str:
        return f"{self._base}/{path}/{self._signer.token(Ticket(self._workspace, self._message, purpose, index))}"


_ANCHOR = re.compile(r"""(<a(?=\s)[^<>]*?\shref\s{0,9}=\s{0,9})(?:"([^"<>]*)"|'([^'<>]*)')""", re.IGNORECASE)
_LED = re.compile(r"https?://[^\s\x00-\x1f\x7f]+\Z", re.IGNORECASE)  # what a Location header may hold
MOST_LINKS = 1_000


def is_led(url: str) -> bool:
    """Whether our click address may lead there; an app's own scheme goes as it is."""
    return bool(_LED.match(url))


def rewrite(body: str, links: Links, utm: Mapping[str, str] | None = None) -> tuple[str, list[str]]:
    """The HTML with its links led through ours, a link that only machines follow and an open pixel, and the links it
    had, in order: with `utm` parameters, but for those that are `data-utm="off"`."""
    targets: list[str] = []
    ours: dict[str, str] = {}  # the attribute that leads there through us

    def through_ours(found: re.Match[str]) -> str:
        target = unescape(found[2] if found[2] is not None else found[3]).strip()
        if not _LED.match(target) or links.is_ours(target):
            return found[0]
        if utm and not is_off(body[found.start() : body.find(">", found.end())]):
            target = tagged(target, utm)
        if target not in ours:
            if len(targets) >= MOST_LINKS:
                return found[0]
            ours[target] = f'"{html.escape(links.click(len(targets)))}"'
            targets.append(target)
        return found[1] + ours[target]

    led = _ANCHOR.sub(through_ours, body)
    trap = f'<a href="{html.escape(links.trap)}" aria-hidden="true" tabindex="-1" style="display:none"></a>'
    pixel = f'<img src="{html.escape(links.pixel)}" width="1" height="1" alt="">'
    return _at_the_end(led, trap + pixel), targets


def unfollowed(body: str, links: Links) -> str:
    """The HTML for somebody who does not want to be followed: its own links, and no pixel but a mark that loads
    nothing."""
    return _at_the_end(body, f"<!-- {links.view} -->")


def _at_the_end(body: str, mark: str) -> str:
    end = _last_closing(body, "body")
    return body + mark if end < 0 else body[:end] + mark + body[end:]


def _last_closing(body: str, name: str) -> int:
    """Where the last closing tag of a name begins, in letters of any size; -1: nowhere."""
    place = len(body)
    while (place := body.rfind("</", 0, place)) >= 0:
        if body[place + 2 : place + 2 + len(name)].lower() == name:
            return place
    return -1


_MARK = re.compile(
    r'<img src="[^"<>]*/o/[A-Za-z0-9_-]{64}\.gif" width="1" height="1" alt="">|<!-- [^"<>\s]*/v/[A-Za-z0-9_-]{64} -->'
)


def is_html(body: str) -> bool:
    """Whether it was sent as HTML: all that is carries a mark of `rewrite` or `unfollowed`, and text may hold any
    other."""
    return bool(_MARK.search(body))

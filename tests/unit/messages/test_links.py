from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest

from kizuna.core.errors import NotFound
from kizuna.messages.links import CLICK, OPEN, PREFERENCES, UNSUBSCRIBE, VIEW, Links, Signer, Ticket, rewrite

TICKET = Ticket(7, b"m" * 16, UNSUBSCRIBE, 3)
SIGNER = Signer([b"secret"])
LINKS = Links(SIGNER, "https://k.example/", 7, b"m" * 16)


def test_a_token_says_what_was_signed() -> None:
    assert SIGNER.read(SIGNER.token(TICKET), UNSUBSCRIBE) == TICKET


def test_no_flipped_bit_is_accepted() -> None:
    raw = urlsafe_b64decode(SIGNER.token(TICKET))
    for bit in range(len(raw) * 8):
        forged = bytearray(raw)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(NotFound):
            SIGNER.read(urlsafe_b64encode(forged).decode(), UNSUBSCRIBE)


def test_no_other_purpose_length_or_letter_is_accepted() -> None:
    token = SIGNER.token(TICKET)
    for purpose in (CLICK, OPEN, VIEW, PREFERENCES):
        with pytest.raises(NotFound):
            SIGNER.read(token, purpose)
    for other in ("", token[:-1], token + "A", token + "\n", token[:-1] + "=", "é" * 64, token.replace(token[5], "+")):
        with pytest.raises(NotFound):
            SIGNER.read(other, UNSUBSCRIBE)
    with pytest.raises(NotFound):
        Signer([b"another"]).read(token, UNSUBSCRIBE)


def test_links_outlive_a_new_secret() -> None:
    token = Signer([b"old"]).token(TICKET)
    renewed = Signer([b"old", b"new"])
    assert renewed.read(token, UNSUBSCRIBE) == TICKET
    assert renewed.read(renewed.token(TICKET), UNSUBSCRIBE) == TICKET


def test_links_are_led_through_ours_once_each() -> None:
    body = (
        '<body><a class="x" href="https://a.example/?x=1&amp;y=2">a</a><A HREF=\'https://b.example/\'>b</A>'
        '<a href="https://a.example/?x=1&amp;y=2">again</a><a href="mailto:x@y.z">m</a><a href="#top">t</a>'
        f'<a href="{LINKS.unsubscribe}">u</a><a href="javascript:alert(1)">j</a><abbr href="https://c.example/">c</abbr></body>'
    )
    rewritten, targets = rewrite(body, LINKS)
    assert targets == ["https://a.example/?x=1&y=2", "https://b.example/"]
    assert len(re.findall(r'(?i)href="https://k\.example/c/[\w-]{64}"', rewritten)) == 3
    for kept in ("mailto:x@y.z", "#top", LINKS.unsubscribe, "javascript:alert(1)", "https://c.example/"):
        assert kept in rewritten
    assert rewritten.endswith('width="1" height="1" alt=""></body>')


def test_a_target_that_would_break_a_header_is_left_alone() -> None:
    assert rewrite('<a href="https://a.example/&#13;&#10;Set-Cookie: x">a</a>', LINKS)[1] == []


def test_nonsense_costs_little() -> None:
    for body in ("<a " * 100_000, "<a href=" * 60_000, '<a href="' * 50_000, "<a" + " " * 400_000):
        rewrite(body, LINKS)

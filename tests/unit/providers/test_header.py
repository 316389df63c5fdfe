from __future__ import annotations

import email
import email.policy
from email.header import decode_header, make_header
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.core.errors import Invalid
from kizuna.providers.header import header_line, mailbox, sender_text, split_mailbox, wire_address

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120)
NAMES = WORDS.map(lambda text: " ".join(text.split()))


def read(line: str) -> Any:
    return email.message_from_bytes(f"{line}\r\n\r\n".encode(), policy=email.policy.SMTP)


@settings(deadline=None)  # the machine may be busy
@given(st.sampled_from(["Subject", "X-A-Rather-Long-Name-Of-A-Header"]), WORDS | st.text("ab ", max_size=2500))
def test_any_text_is_folded_and_read_back(key: str, text: str) -> None:
    line = header_line(key, text, is_text=True)
    assert str(read(line)[key]).split() == text.split()
    lines = line.split("\r\n")
    assert all(len(each) <= 998 and each.strip() for each in lines)
    if "=?utf-8?b?" in line:
        assert all(len(each) <= 76 for each in lines)
        assert line.isascii()


@settings(deadline=None)  # the machine may be busy
@given(NAMES)
def test_any_name_is_one_name_of_one_address(name: str) -> None:
    line = header_line("From", mailbox(name, "news@shop.example"))
    assert [each.addr_spec for each in read(line)["From"].addresses] == ["news@shop.example"]
    raw = email.message_from_string(f"{line}\n\n")["From"]
    said = str(
        make_header(decode_header(parseaddr(raw)[0]))
    )  # newer readers put spaces between encoded words of a name
    assert said.split() == name.split()
    assert all(len(each) <= 78 for each in line.split("\r\n"))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Shop", "Shop <a@b.c>"),
        ("", "a@b.c"),
        ("Shop, Inc.", '"Shop, Inc." <a@b.c>'),
        ('The "Shop"', '"The \\"Shop\\"" <a@b.c>'),
        ("=?utf-8?q?x?=", "=?utf-8?b?PT91dGYtOD9xP3g/PQ==?= <a@b.c>"),
        ("絆", "=?utf-8?b?57WG?= <a@b.c>"),
    ],
)
def test_names_are_quoted_where_they_must_be(name: str, written: str) -> None:
    assert mailbox(name, "a@b.c") == written
    assert split_mailbox(f'"{name}" <a@b.c>' if '"' not in name else f"{name} <a@b.c>") == (name, "a@b.c")


@pytest.mark.parametrize(
    ("sender", "parts"),
    [
        ("a@b.c", ("", "a@b.c")),
        ("Shop, Inc. <a@b.c>", ("Shop, Inc.", "a@b.c")),
        ('"The \\"Shop\\", Inc." <a@b.c>', ('The "Shop", Inc.', "a@b.c")),
        (" 絆ショップ <a@b.c> ", ("絆ショップ", "a@b.c")),
    ],
)
def test_senders_are_read_as_people_write_them(sender: str, parts: tuple[str, str]) -> None:
    assert split_mailbox(sender) == parts


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "@b",
        "a b@c",
        "a@b,c@d",
        "a@b\r\nBcc: c@d",
        "<a@b>",
        "a\x00@b",
        "a\ud83d@b",
        "a@b\ud83d",
        "a(b)@c",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Invalid):
        header_line("To", mailbox("", address))


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\n b", "a\x00b", "\ud83d"])
def test_what_would_break_a_header_is_refused(value: str) -> None:
    for is_text in (True, False):
        with pytest.raises(Invalid) as refused:
            header_line("X-Any", value, is_text=is_text)
        assert refused.value.code == "invalid_header"


def test_what_no_line_can_hold_is_encoded_if_it_is_text_and_refused_if_not() -> None:
    assert all(len(line) <= 76 for line in header_line("Subject", "x" * 2000, is_text=True).split("\r\n"))
    with pytest.raises(Invalid):
        header_line("List-Unsubscribe", f"<https://kizuna.example/{'x' * 1000}>")


@pytest.mark.parametrize(
    ("sender", "written"),
    [
        ("news@shop.example", "news@shop.example"),
        ("Shop <news@shop.example>", "Shop <news@shop.example>"),
        ("秋の店 <news@bücher.example>", "秋の店 <news@xn--bcher-kva.example>"),
        ("Shop, Inc. <news@shop.example>", '"Shop, Inc." <news@shop.example>'),
        ('"Shop, Inc." <news@shop.example>', '"Shop, Inc." <news@shop.example>'),
        ("店, 東京 <news@shop.example>", "=?utf-8?b?5bqXLCDmnbHkuqw=?= <news@shop.example>"),
    ],
)
def test_senders_are_written_for_those_who_encode_them(sender: str, written: str) -> None:
    assert sender_text(sender) == written


@settings(deadline=None)  # the machine may be busy
@given(NAMES)
def test_any_sender_is_one_name_of_one_address(name: str) -> None:
    said = f"{name} <news@shop.example>"
    written, address = parseaddr(sender_text(said))
    assert (as_text(written), address) == (as_text(split_mailbox(said)[0]), "news@shop.example")


def as_text(name: str) -> str:
    return str(make_header(decode_header(name)))


def test_domains_of_other_letters_go_as_idna() -> None:
    assert wire_address("ada@例え.jp") == "ada@xn--r8jz45g.jp"

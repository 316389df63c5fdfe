from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.core.errors import Invalid
from kizuna.providers import Delivery
from kizuna.providers.mime import build, message_id, message_named

EXTRA = {
    "List-Unsubscribe": "<https://kizuna.example/u/abc>, <mailto:u@kizuna.example?subject=abc>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "Feedback-ID": "autumn:shop:campaign:kizuna",
    "Reply-To": "help@shop.example",
}


def a_delivery(**changes: Any) -> Delivery:
    given: dict[str, Any] = {
        "message": "msg_1", "channel": "email", "address": "ada@example.com", "subject": "Hi", "text": "Hello",
        "html": "<p>Hello</p>", "headers": {}, "at": 0.0,
    }  # fmt: skip
    return Delivery(**{**given, **changes})


def parse(raw: bytes) -> Any:
    return email.message_from_bytes(raw, policy=email.policy.default)


@settings(deadline=None)  # the machine may be busy
@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=300))
def test_any_subject_survives(subject: str) -> None:
    mail = parse(build(a_delivery(subject=subject), "shop@example.com"))
    assert " ".join(str(mail["Subject"]).split()) == " ".join(subject.split())


@settings(deadline=None)  # the machine may be busy
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=500))
def test_any_body_survives(text: str) -> None:
    mail = parse(build(a_delivery(text=text, html=None), "shop@example.com"))
    assert mail.get_payload(decode=True).decode().replace("\r\n", "\n") == text


@pytest.mark.parametrize("value", ["a\r\nBcc: b@example.com", "a\nb", "a\rb", "a\x00b"])
@pytest.mark.parametrize("field", ["address", "subject", "headers"])
def test_a_line_break_in_a_header_is_refused(field: str, value: str) -> None:
    changes = {field: {"X-Any": value} if field == "headers" else value}
    with pytest.raises(Invalid):
        build(a_delivery(**changes), "shop@example.com")


def test_a_message_id_of_ours_names_its_message() -> None:
    assert message_named(message_id("msg_1", "news@bücher.example")) == "msg_1"
    assert message_named("msg_1@shop.example") == "msg_1"
    for other in ("", "<20260302.1@shop.example>", "<x.msg_1@shop.example>", "msg_1"):
        assert message_named(other) == ""


def test_every_attempt_bears_the_same_message_id() -> None:
    first, second = (parse(build(a_delivery(at=at), "Shop <shop@example.com>")) for at in (0.0, 99.0))
    assert first["Message-ID"] == second["Message-ID"] == "<msg_1@example.com>"


POLICIES = [email.policy.default, email.policy.SMTP, email.policy.SMTPUTF8]


@pytest.mark.parametrize("policy", POLICIES)
def test_what_marketers_write_is_read_back_by_others(policy: Any) -> None:
    subject = "【週末限定】秋の新作コレクション、最大30%オフ🍁 — 会員さまだけのご案内です"
    raw = build(
        a_delivery(subject=subject, text="本文です。\n.\n二行目", html="<p>本文です。</p>", headers=EXTRA),
        '"Kizuna, 絆の \\"店\\"" <news@例え.jp>',
    )
    mail: Any = email.message_from_bytes(raw, policy=policy)
    assert mail["Subject"] == subject
    (sender,) = mail["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ('Kizuna, 絆の "店"', "news@xn--r8jz45g.jp")
    assert mail["Feedback-ID"] == EXTRA["Feedback-ID"]
    assert str(mail["Reply-To"]) == EXTRA["Reply-To"]
    assert mail["List-Unsubscribe"] == EXTRA["List-Unsubscribe"]
    assert mail["Date"].datetime == datetime(1970, 1, 1, tzinfo=UTC)
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n").rstrip("\n") == "本文です。\n.\n二行目"
    assert not mail.defects
    assert not [defect for part in mail.walk() for header in part.values() for defect in header.defects]
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78


def test_the_date_has_no_obsolete_zone() -> None:
    assert b"\r\nDate: Thu, 01 Jan 1970 00:00:00 +0000\r\n" in build(a_delivery(), "shop@example.com")


@pytest.mark.parametrize("name", ["From", "subject", "DKIM-Signature", "X Y", "X:", "X-é", ""])
def test_a_header_that_is_ours_or_none_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        build(a_delivery(headers={name: "x"}), "shop@example.com")
    assert refused.value.code == "invalid_header"


@pytest.mark.parametrize("field", ["address", "subject", "headers", "text", "html"])
def test_half_a_letter_is_refused(field: str) -> None:
    changes = {field: {"X-Any": "a\ud83d"} if field == "headers" else "a\ud83d"}
    with pytest.raises(Invalid):
        build(a_delivery(**changes), "shop@example.com")


def test_an_address_of_other_letters_needs_them_only_before_its_domain() -> None:
    assert parse(build(a_delivery(address="ada@例え.jp"), "a@b.c"))["To"] == "ada@xn--r8jz45g.jp"
    text = build(a_delivery(address="秋@例え.jp"), "a@b.c").decode()
    wide: Any = email.message_from_string(text, policy=email.policy.SMTPUTF8)
    assert wide["To"].addresses[0].addr_spec == "秋@xn--r8jz45g.jp"


def test_a_link_in_other_letters_is_still_a_link() -> None:
    raw = build(a_delivery(headers={"List-Unsubscribe": "<https://kizuna.example/u/秋?a=%20>"}), "a@b.c")
    assert parse(raw)["List-Unsubscribe"] == "<https://kizuna.example/u/%E7%A7%8B?a=%20>"

from __future__ import annotations

import email
import email.policy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.core.errors import Invalid
from kizuna.providers import Delivery
from kizuna.providers.mime import build, header_text


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


def test_encoded_words_fit_their_line() -> None:
    assert all(len(line) <= 76 for line in header_text("絆" * 200).split("\r\n"))


def test_every_attempt_bears_the_same_message_id() -> None:
    first, second = (parse(build(a_delivery(at=at), "Shop <shop@example.com>")) for at in (0.0, 99.0))
    assert first["Message-ID"] == second["Message-ID"] == "<msg_1@example.com>"

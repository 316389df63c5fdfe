from __future__ import annotations

import pytest

from kizuna.core.mail_codes import OF_NO_ADDRESS, by_reply, by_status, is_vague


@pytest.mark.parametrize(
    ("status", "reason"),
    [("5.1.1", "unknown_user"), ("5.1.10", "takes_no_mail"), ("5.2.99", None), ("5.3.9", "system"),
     ("5.7.99", "policy"), ("5.0.0", None), (None, None), ("4.1.1", "system"), ("4.2.2", "mailbox_full")],
)  # fmt: skip
def test_the_longest_beginning_that_is_known_counts(status: str | None, reason: str | None) -> None:
    assert by_status(status) == reason


def test_for_now_is_never_for_good() -> None:
    known = {by_status(f"4.{subject}.{detail}") for subject in range(8) for detail in range(30)}
    assert known.isdisjoint(OF_NO_ADDRESS)


def test_the_older_codes() -> None:
    assert [by_reply(code) for code in ("550", "552", "599", None)] == ["unknown_user", "mailbox_full", None, None]
    assert is_vague("5.0.0")
    assert not is_vague("5.1.0")

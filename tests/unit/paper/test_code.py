from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kizuna.paper import code

MESSAGES = st.binary(min_size=16, max_size=16)


@given(MESSAGES, st.integers(1, 2**31), st.integers(0, 9))
def test_what_is_printed_is_read(message: bytes, workspace: int, attempt: int) -> None:
    made = code.make(b"secret", workspace, message, attempt)
    assert code.read(code.show(made).lower()) == made
    assert code.make(b"other", workspace, message, attempt) != made
    assert code.make(b"secret", workspace, message, attempt + 1) != made


@given(MESSAGES, st.integers(0, code.LENGTH - 1), st.sampled_from(code.ALPHABET))
def test_one_wrong_sign_is_seen(message: bytes, place: int, sign: str) -> None:
    made = code.make(b"secret", 1, message)
    typed = made[:place] + sign + made[place + 1 :]
    assert code.read(typed) == (made if typed == made else None)


@given(MESSAGES, st.integers(0, code.LENGTH - 3))
def test_two_exchanged_signs_are_seen(message: bytes, place: int) -> None:
    made = code.make(b"secret", 1, message)
    typed = made[:place] + made[place + 1] + made[place] + made[place + 2 :]
    assert code.read(typed) == (made if typed == made else None)


def test_what_is_no_code() -> None:
    assert [code.read(typed) for typed in ("", "A", "O" * 11, "A" * 12, "あ" * 11, "A" * 11)] == [None] * 6
    assert not set(code.ALPHABET) & set("01IOLSB")

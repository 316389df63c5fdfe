from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.core import exact_json
from kizuna.core.errors import Invalid

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def code_of(raw: bytes) -> str:
    with pytest.raises(Invalid) as refusal:
        exact_json.decode_checked(raw)
    return refusal.value.code


@given(VALUES)
def test_what_is_encoded_decodes_to_the_same(value: object) -> None:
    assert exact_json.decode_checked(exact_json.encode(value)) == value


@pytest.mark.parametrize("text", ["0.1", "19.990", "1e-7", "12345678901234567890.12345678901234567890"])
def test_fractions_stay_exact(text: str) -> None:
    value = exact_json.decode(text.encode())
    assert value == Decimal(text)
    assert isinstance(value, Decimal)


def test_money_adds_up() -> None:
    prices = exact_json.decode(b"[0.1, 0.2]")
    assert sum(prices) == Decimal("0.3")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"NaN", "invalid_json"),
        (b"[Infinity]", "invalid_json"),
        (b'"\xff"', "invalid_json"),
        (b'"\\ud800"', "invalid_json"),
        (b'"a\\u0000b"', "invalid_text"),
        (b'{"a\\u0000b": 1}', "invalid_text"),
        (b'[["\\u0000"]]', "invalid_text"),
        (b"1e999", "invalid_number"),
        (b"-1e999", "invalid_number"),
        (b"[1.5e400]", "invalid_number"),
        (b"1e99999999", "invalid_number"),
        (b"1e999999999999999999999", "invalid_json"),
        (b"9" * 400, "invalid_number"),
        (b"[" * 33 + b"]" * 33, "too_deep"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "too_deep"),
    ],
)
def test_what_could_poison_the_log_is_refused(raw: bytes, code: str) -> None:
    assert code_of(raw) == code


def test_the_deepest_allowed_passes() -> None:
    assert exact_json.decode_checked(b"[" * exact_json.MAX_DEPTH + b"]" * exact_json.MAX_DEPTH)


def test_very_deep_input_is_an_error_and_not_a_crash() -> None:
    assert code_of(b"[" * 200_000) in {"invalid_json", "too_deep"}
    assert code_of(b"[" * 200_000 + b"]" * 200_000) in {"invalid_json", "too_deep"}

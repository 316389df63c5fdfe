"""One strict JSON decoder: fractions stay exact decimals; a body that could poison the log is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from kizuna.core.errors import Invalid

MAX_DEPTH = 32

_exact = msgspec.json.Decoder(float_hook=Decimal)
encode = msgspec.json.Encoder(decimal_format="number").encode  # a Decimal stays a number, exactly


def decode(raw: bytes) -> Any:
    """JSON to Python with `Decimal` for fractions; `raw` was checked when it came in."""
    return _exact.decode(raw)


def decode_checked(raw: bytes) -> Any:
    """As `decode` for bytes from outside: raises `Invalid` on broken UTF-8, NUL, infinities, depth over 32."""
    try:
        value = _exact.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ValueError, ArithmeticError) as error:
        raise Invalid(f"the body is not JSON that can be kept: {error}", code="invalid_json") from None
    check(value)
    return value


def check(value: Any, depth: int = 1) -> None:
    """Raises `Invalid` when a decoded value is too deep, holds a NUL, or a number outside a 64-bit float."""
    if isinstance(value, str):
        if "\x00" in value:
            raise Invalid("text holds a NUL character; remove it", code="invalid_text")
    elif isinstance(value, dict):
        if depth > MAX_DEPTH:
            raise Invalid(f"nested deeper than {MAX_DEPTH} levels; flatten it", code="too_deep")
        for key, inner in value.items():
            if "\x00" in key:
                raise Invalid("a key holds a NUL character; remove it", code="invalid_text")
            check(inner, depth + 1)
    elif isinstance(value, list):
        if depth > MAX_DEPTH:
            raise Invalid(f"nested deeper than {MAX_DEPTH} levels; flatten it", code="too_deep")
        for inner in value:
            check(inner, depth + 1)
    elif isinstance(value, Decimal):
        if value.adjusted() > 307 or value.adjusted() < -400:
            raise Invalid("a number is outside the range of a 64-bit float", code="invalid_number")
    elif isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 1024:
        raise Invalid("a number is outside the range of a 64-bit float", code="invalid_number")

"""Numbers and amounts as people write them, in Japanese and in English."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from liquid.exceptions import FilterArgumentError
from liquid.filter import liquid_filter, with_context
from liquid.undefined import is_undefined

_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "BHD": 3, "KWD": 3, "JOD": 3, "OMR": 3, "TND": 3}
_SIGNS = {
    "JPY": "¥",
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "KRW": "₩",
    "CNY": "CN¥",
    "INR": "₹",
    "VND": "₫",
    "TWD": "NT$",
}
_WORDS = {"JPY": "円", "USD": "ドル", "EUR": "ユーロ"}  # after the number, as Japanese sentences have it
MOST_DIGITS = 10


@with_context
@liquid_filter
def currency(amount: object, code: object = None, style: object = None, *, context: Any) -> object:
    """`{{ 1234.5 | currency: 'USD' }}`: $1,234.50. Without a code that of the workspace; style `ja`: 1,235円."""
    number = _decimal(amount)
    if number is None:
        return amount
    if code is None or is_undefined(code):
        code = context.get(["workspace", "currency"], token=None, default="")
    said = str(code).upper()
    shown = _grouped(number, _DIGITS.get(said, 2))
    if style == "ja" and said in _WORDS:
        return shown + _WORDS[said]
    sign = _SIGNS.get(said, f"{said}\u00a0" if said else "")
    return f"-{sign}{shown[1:]}" if shown.startswith("-") else sign + shown


@liquid_filter
def number_format(value: object, digits: object = None) -> object:
    """`{{ 1234.567 | number_format: 1 }}`: 1,234.6."""
    number = _decimal(value)
    if number is None:
        return value
    if digits is None or is_undefined(digits):
        exponent = number.normalize().as_tuple().exponent
        return _grouped(number, min(MOST_DIGITS, max(0, -exponent)) if isinstance(exponent, int) else 0)
    if not isinstance(digits, int) or not 0 <= digits <= MOST_DIGITS:
        raise FilterArgumentError(f"number_format: digits are 0 to {MOST_DIGITS}", token=None)
    return _grouped(number, digits)


def _grouped(number: Decimal, digits: int) -> str:
    return f"{number.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):,f}"


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)) or len(str(value)) > 25:
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < Decimal("1e15") else None


FILTERS: dict[str, Any] = {"currency": currency, "number_format": number_format}

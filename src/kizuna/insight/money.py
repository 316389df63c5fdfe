"""Amounts as answers show them: a decimal string and its currency."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

_NO_MINOR = frozenset(
    [
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV"),
        *("XAF", "XOF", "XPF"),
    ]
)
_THOUSANDTHS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))


def digits(currency: str) -> int:
    """How many digits ISO 4217 gives the minor unit."""
    if currency in _NO_MINOR:
        return 0
    return 3 if currency in _THOUSANDTHS else 2


def show(amount: Decimal | int | None, currency: str, *, is_mean: bool = False) -> dict[str, Any] | None:
    """Rounded half up to the minor unit, a mean to two digits at least; sums before it are exact."""
    if amount is None:
        return None
    places = max(digits(currency), 2) if is_mean else digits(currency)
    rounded = Decimal(amount).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return {"amount": f"{rounded:f}", "currency": currency}

"""What values are to rules: numbers (also as text), equality of whole JSON values, text without case and width."""

from __future__ import annotations

import re
import unicodedata
from decimal import Context, Decimal
from typing import Any

NUMERIC = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,9})?", re.ASCII)

# wide enough for any two 64-bit floats written out in full
_EXACT = Context(prec=1200, Emax=999_999, Emin=-999_999)
add = _EXACT.add
multiply = _EXACT.multiply


def number(value: Any) -> int | Decimal | None:
    """The exact number that a JSON number or numeric text is; None for all else."""
    kind = type(value)
    if kind is int or kind is Decimal:
        return value
    if kind is str:
        return _numeric_text(value) if NUMERIC.fullmatch(value) else None
    return Decimal(repr(value)) if kind is float else None


def _numeric_text(text: str) -> Decimal | None:
    found = Decimal(text)
    return found if not found or -400 <= found.adjusted() <= 307 else None


def equal(left: Any, right: Any) -> bool:
    """Whole JSON values: text with text as text, a number with numeric text by value, the rest by structure."""
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(equal(*pair) for pair in zip(left, right, strict=True))
    if left is None or right is None:
        return left is right
    a = number(left)
    return a is not None and a == number(right)


# what has another width: Latin and signs, spaces, half-width kana (their sound marks are joined by NFC afterwards)
WIDE = "".join(map(chr, (0x3000, *range(0xFF01, 0xFF5F), *range(0xFF61, 0xFFA0))))
NARROW = "".join(unicodedata.normalize("NFKC", each) for each in WIDE)
_WIDTH = str.maketrans(WIDE, NARROW)
_CASE = str.maketrans({"ς": "σ", "ſ": "s", "ß": "ss"})


def folded(value: Any) -> Any:
    """Text without regard to case and width, letter by letter, so that SQL says the same; anything else as it is."""
    if isinstance(value, str):
        if value.isascii():
            return value.lower()
        narrow = unicodedata.normalize("NFC", value.translate(_WIDTH))
        return narrow.replace("İ", "i").lower().translate(_CASE)
    if isinstance(value, dict):
        return {key: folded(each) for key, each in value.items()}
    return [folded(each) for each in value] if isinstance(value, list) else value


def identity(value: Any) -> str | None:
    """One text for each JSON value, for `distinct`: numbers by value, keys in order; None for null."""
    if isinstance(value, str):
        return f'"{value}'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ",".join(f"{len(one)}:{one}" for one in (identity(each) or "null" for each in value)) + "]"
    if isinstance(value, dict):
        inner = sorted((key, identity(each) or "null") for key, each in value.items())
        return "{" + ",".join(f"{len(key)}:{key}{len(one)}:{one}" for key, one in inner) + "}"
    found = number(value)
    return None if found is None else format(Decimal(found).normalize(_EXACT), "f")

"""Codes as they are brought, or made: hard to guess, easy to read aloud."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from kizuna.core.errors import FieldError, Invalid

AT_ONCE = 100_000
LONGEST = 64
ALPHABET = "2346789CDFGHJKMNPQRTVWXY"  # no signs that look alike (0O, 1IL, 5S, 8B, 2Z), no vowels: no words
GUESSES = 10_000  # signs suffice for so many times the codes that are made, at least: guessing finds none


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """How many to make, and of what."""

    count: int
    prefix: str = ""
    length: int = 8  # of what follows the prefix
    alphabet: str = ALPHABET


def brought(codes: list[Any]) -> list[str]:
    """Codes of an upload, each once; raises `Invalid`."""
    wrong = [
        FieldError(f"/codes/{place}", "invalid_code", f"1 to {LONGEST} printable characters without blanks")
        for place, code in enumerate(codes)
        if not (isinstance(code, str) and is_code(code))
    ]
    if wrong or len(codes) > AT_ONCE:
        raise Invalid(f"codes are texts, up to {AT_ONCE:,} at once", code="invalid_codes", errors=wrong[:10])
    return list(dict.fromkeys(codes))


def is_code(text: str) -> bool:
    return 1 <= len(text) <= LONGEST and text.isprintable() and not any(sign.isspace() for sign in text)


def made(wanted: Wanted, choose: Callable[[str], str] = secrets.choice) -> list[str]:
    """New codes, each once; raises `Invalid` where there are too few to choose from."""
    signs = "".join(dict.fromkeys(wanted.alphabet))
    errors: list[FieldError] = []
    if not 1 <= wanted.count <= AT_ONCE:
        errors.append(FieldError("/generate/count", "invalid", f"1 to {AT_ONCE:,}"))
    if len(signs) < 2 or not is_code(signs[:LONGEST]) or not all(is_code(sign) for sign in signs):
        errors.append(FieldError("/generate/alphabet", "invalid", "two or more printable characters"))
    if not 4 <= wanted.length <= LONGEST or (wanted.prefix and not is_code(wanted.prefix)):
        errors.append(FieldError("/generate/length", "invalid", f"4 to {LONGEST}, and a prefix without blanks"))
    elif len(wanted.prefix) + wanted.length > LONGEST:
        errors.append(FieldError("/generate/length", "invalid", f"a code has at most {LONGEST} characters"))
    elif not errors and len(signs) ** wanted.length < GUESSES * wanted.count:
        errors.append(FieldError("/generate/length", "guessable", "too short for so many: others could be guessed"))
    if errors:
        raise Invalid("codes cannot be made so", code="invalid_codes", errors=errors)
    codes: set[str] = set()
    while len(codes) < wanted.count:
        codes.add(wanted.prefix + "".join(choose(signs) for _ in range(wanted.length)))
    return sorted(codes)

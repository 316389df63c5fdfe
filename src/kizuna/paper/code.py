"""Codes that a letter bears: short, signed, without letters that look alike, and with a check digit. Pure."""

from __future__ import annotations

import hmac

ALPHABET = "23456789ACDEFGHJKMNPQRTUVWXYZ"  # no 0 O, 1 I L, 5 S, 8 B pairs; its length is a prime
LENGTH = 11  # ten of the signature (48 bits), one to check
_BASE = len(ALPHABET)
_VALUE = {sign: value for value, sign in enumerate(ALPHABET)}
_READ_AS = str.maketrans({"B": "8", " ": "", "-": "", "\u2010": "", "\u3000": ""})


def make(secret: bytes, workspace: int, message: bytes, attempt: int = 0) -> str:
    """The code of a message; another `attempt` where two messages came to the same one."""
    said = b"kizuna letter code 1" + workspace.to_bytes(4, "big") + message + attempt.to_bytes(2, "big")
    number = int.from_bytes(hmac.digest(secret, said, "sha256"), "big")
    signs: list[str] = []
    for _ in range(LENGTH - 1):
        number, value = divmod(number, _BASE)
        signs.append(ALPHABET[value])
    return "".join(signs) + _check(signs)


def _check(signs: list[str] | str) -> str:
    """Weighted by place, modulo a prime: one wrong sign and two exchanged ones are seen."""
    return ALPHABET[sum(place * _VALUE[sign] for place, sign in enumerate(signs, 2)) % _BASE]


def read(typed: str) -> str | None:
    """A code as somebody typed it, in whatever case and groups; None where it can be none."""
    code = typed.strip().upper().translate(_READ_AS)
    if len(code) != LENGTH or any(sign not in _VALUE for sign in code):
        return None
    return code if _check(code[:-1]) == code[-1] else None


def show(code: str) -> str:
    """In groups, as it is printed."""
    return f"{code[:4]} {code[4:8]} {code[8:]}"

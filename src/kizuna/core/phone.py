"""A phone number as E.164 writes it: `+`, country, number.

Spaces, dashes, dots and parentheses are left out. A Japanese number as it is dialled at home (`090-1234-5678`) is read
as one where the trait `country` (or `address.country`) says JP; without a country a national number reaches nobody.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

_BETWEEN = re.compile(r"[\s().\-\u2010-\u2015\u2212\u30fc]")  # also the dashes of Japanese keyboards
SHORTEST = 7  # digits
_E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_AT_HOME = re.compile(r"0([1-9][0-9]{8,9})\Z")


def of_traits(traits: Mapping[str, Any]) -> str | None:
    """The trait `phone`; not yet looked at whether it can exist."""
    value = traits.get("phone")
    if not isinstance(value, str):
        return None
    plain = _BETWEEN.sub("", unicodedata.normalize("NFKC", value))
    if (found := _AT_HOME.match(plain)) and _country(traits) == "JP":
        return f"+81{found.group(1)}"
    return plain or None


def may_be(traits: Mapping[str, Any], number: str) -> bool:
    """Whether the trait `phone`, as somebody wrote it, can be this number of E.164; without a country a national
    number can be one of several countries."""
    value = traits.get("phone")
    if not isinstance(value, str):
        return False
    if (known := of_traits(traits)) is not None and is_number(known):
        return known == number
    plain = _BETWEEN.sub("", unicodedata.normalize("NFKC", value))
    national = plain.removeprefix("00").removeprefix("0")
    country = number.removesuffix(national).removeprefix("+")
    if not (national.isdecimal() and len(national) >= SHORTEST and number.endswith(national) and len(country) <= 3):
        return False
    return not _country(traits) or (_country(traits) == "JP") == number.startswith("+81")


def is_number(text: str) -> bool:
    return bool(_E164.match(text))


def _country(traits: Mapping[str, Any]) -> str:
    lived_in = traits.get("address")
    said = traits.get("country") or (lived_in.get("country") if isinstance(lived_in, Mapping) else None)
    return said.strip().upper() if isinstance(said, str) else ""

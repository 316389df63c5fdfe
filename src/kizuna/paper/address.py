"""A postal address: read from traits, kept as text of one part a line, checked by what its country asks for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

LONGEST_PART = 60  # characters that fit into a window
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")  # ISO 3166-1 alpha-2
_POSTAL = {
    "JP": re.compile(r"[0-9]{3}-?[0-9]{4}\Z"),
    "US": re.compile(r"[0-9]{5}(-[0-9]{4})?\Z"),
    "GB": re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}\Z"),
    "DE": re.compile(r"[0-9]{5}\Z"),
    "FR": re.compile(r"[0-9]{5}\Z"),
}
_SOME_POSTAL = re.compile(r"[A-Z0-9][A-Z0-9 \-]{1,10}\Z")
# where each part stands in the trait: our name, then that of the Segment specification
_SPELLINGS = {
    "name": ("name",), "company": ("company",), "line1": ("line1", "street"), "line2": ("line2",), "city": ("city",),
    "region": ("region", "state"), "postal_code": ("postal_code", "postalCode"), "country": ("country",),
}  # fmt: skip


class PostalAddress(Struct, frozen=True, kw_only=True):
    """Parts may be empty; `country` is two letters."""

    name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""

    @property
    def is_valid(self) -> bool:
        parts = [getattr(self, part) for part in self.__struct_fields__]
        if any(len(part) > LONGEST_PART or _CONTROL.search(part) for part in parts):
            return False
        if not (self.name or self.company) or not self.line1 or not (self.city or self.region):
            return False
        code = unicodedata.normalize("NFKC", self.postal_code).upper()
        return bool(_COUNTRY.match(self.country) and _POSTAL.get(self.country, _SOME_POSTAL).match(code))

    @property
    def text(self) -> str:
        """One part a line, also the empty ones: `of_text` reads it back."""
        return "\n".join(getattr(self, part) for part in self.__struct_fields__)

    def lines(self, home: str = "") -> list[str]:
        """As an envelope shows it, in the order of its country, which is named where it is not `home`."""
        abroad = "" if self.country == home else self.country
        if self.country == "JP":
            code = unicodedata.normalize("NFKC", self.postal_code).replace("-", "")
            place = f"{self.region}{self.city}"
            to = [f"{self.name} 様"] if self.name else []
            company = [self.company if to else f"{self.company} 御中"] if self.company else []
            shown = [f"〒{code[:3]}-{code[3:]}", f"{place}{self.line1}", self.line2, *company, *to, abroad]
        elif self.country in ("US", "CA", "AU"):
            place = f"{self.city} {self.region} {self.postal_code}"
            shown = [self.name, self.company, self.line1, self.line2, place, abroad]
        elif self.country == "GB":
            place = [self.city, self.region, self.postal_code]
            shown = [self.name, self.company, self.line1, self.line2, *place, abroad]
        else:
            place = f"{self.postal_code} {self.city}"
            shown = [self.company, self.name, self.line1, self.line2, place, self.region, abroad]
        return [" ".join(line.split()) for line in shown if line.strip()]


def of_text(text: str) -> PostalAddress:
    parts = text.split("\n")
    return PostalAddress(**dict(zip(PostalAddress.__struct_fields__, parts, strict=False)))


def of_traits(traits: Mapping[str, Any]) -> PostalAddress | None:
    """The trait `address`, with the name and country that stand beside it; None where there is none."""
    said = traits.get("address")
    if not isinstance(said, Mapping):
        return None
    parts = {part: _first(said, names) for part, names in _SPELLINGS.items()}
    parts["name"] = parts["name"] or _name(traits)
    parts["country"] = (parts["country"] or _part(traits.get("country"))).upper()
    return PostalAddress(**parts)


def _first(said: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((part for name in names if (part := _part(said.get(name)))), "")


def _part(value: Any) -> str:
    """A number is taken too: postal codes come as such."""
    return " ".join(str(value).split()) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _name(traits: Mapping[str, Any]) -> str:
    whole = _part(traits.get("name"))
    first, last = _first(traits, ("first_name", "firstName")), _first(traits, ("last_name", "lastName"))
    return whole or f"{first} {last}".strip()

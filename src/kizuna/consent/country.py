"""Which country's rules hold for a customer: by what we know of them, else by the number they are reached at. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NAMES = {
    "japan": "JP", "日本": "JP", "united states": "US", "united states of america": "US", "usa": "US", "canada": "CA",
    "united kingdom": "GB", "germany": "DE", "france": "FR", "uk": "GB",
}  # fmt: skip
# E.164 prefixes, longest first. What shares +1 with the United States has area codes of its own.
_AREAS = {
    "CA": "204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 403 416 418 428 431 437 438 450 460 468 474 506"
    " 514 519 537 548 568 579 581 584 587 600 604 613 639 647 672 683 705 709 742 753 778 780 782 807 819 825 867 873"
    " 879 902 905"
}
_ISLANDS = {
    "+1671": "Pacific/Guam", "+1670": "Pacific/Saipan", "+1684": "Pacific/Pago_Pago", "+1787": "America/Puerto_Rico",
    "+1939": "America/Puerto_Rico", "+1340": "America/St_Thomas",
}  # fmt: skip
_CALLED = {
    "+1": "US", "+33": "FR", "+34": "ES", "+39": "IT", "+44": "GB", "+49": "DE", "+61": "AU", "+81": "JP", "+82": "KR",
    "+86": "CN", "+886": "TW",
} | {f"+1{area}": country for country, areas in _AREAS.items() for area in areas.split()}  # fmt: skip
ZONES = {
    "JP": ("Asia/Tokyo",), "KR": ("Asia/Seoul",), "TW": ("Asia/Taipei",), "CN": ("Asia/Shanghai",),
    "GB": ("Europe/London",), "DE": ("Europe/Berlin",), "FR": ("Europe/Paris",), "IT": ("Europe/Rome",),
    "ES": ("Europe/Madrid", "Atlantic/Canary"),
    "US": ("America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles",
           "America/Anchorage", "Pacific/Honolulu"),
    "CA": ("America/St_Johns", "America/Halifax", "America/Toronto", "America/Winnipeg", "America/Regina",
           "America/Edmonton", "America/Vancouver"),
    "AU": ("Australia/Sydney", "Australia/Brisbane", "Australia/Adelaide", "Australia/Darwin", "Australia/Perth"),
}  # fmt: skip


def country_of(traits: Mapping[str, Any]) -> str:
    """ISO 3166 letters of the trait `country` or `address.country`, else of the trait `phone`; empty: unknown."""
    address = traits.get("address")
    for said in (traits.get("country"), address.get("country") if isinstance(address, dict) else None):
        if isinstance(said, str) and (word := said.strip()):
            return word.upper() if len(word) == 2 and word.isascii() else _NAMES.get(word.casefold(), "")
    return country_of_number(traits.get("phone"))


def country_of_number(phone: Any) -> str:
    if not isinstance(phone, str) or not phone.startswith("+"):
        return ""
    return next((found for length in (5, 4, 3, 2) if (found := _CALLED.get(phone[:length]))), "")


def zones_of(country: str, phone: Any) -> tuple[str, ...]:
    """Every zone in which somebody of a country may live; a number of an island says which. Empty: unknown."""
    island = _ISLANDS.get(phone[:5]) if isinstance(phone, str) else None
    return (island,) if island else ZONES.get(country, ())

"""Traits: per top-level key the latest by event time; null removes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from kizuna.profiles.section import Profile

_INT64 = 1 << 63


def merge_traits(profile: Profile, traits: dict[str, Any], at: int) -> bool:
    """Take traits said at `at`; of equal times the later arrival wins. Says whether anything shown changed."""
    changed = False
    for key, value in traits.items():
        if profile.trait_times.get(key, at) > at:
            continue
        profile.trait_times[key] = at
        if value is None:
            changed |= profile.traits.pop(key, None) is not None
        else:
            value = plain(value)
            if key not in profile.traits or not _same(profile.traits[key], value):
                profile.traits[key] = value
                changed = True
    return changed


def absorb_traits(known: Profile, anonymous: Profile) -> None:
    """Join two trait sets: the later time wins, on equal times the known profile's."""
    for key, at in anonymous.trait_times.items():
        if key in known.trait_times and known.trait_times[key] >= at:
            continue
        known.trait_times[key] = at
        if key in anonymous.traits:
            known.traits[key] = anonymous.traits[key]
        else:
            known.traits.pop(key, None)


def plain(value: Any) -> Any:
    """JSON as the record keeps it: fractions and huge integers as 64-bit floats."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, int) and not isinstance(value, bool) and not -_INT64 <= value < _INT64:
        return float(value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def _same(old: Any, new: Any) -> bool:
    return type(old) is type(new) and old == new

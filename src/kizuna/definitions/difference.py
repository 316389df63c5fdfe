"""How two bodies differ, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from msgspec import UNSET, Struct, UnsetType

NAMES = ("id", "name")  # items of a list that all have one are known by it


class Change(Struct, frozen=True):
    """One field: `was` is unset where it is new, `becomes` where it is gone."""

    path: str  # steps[mail].send.template
    was: Any | UnsetType = UNSET
    becomes: Any | UnsetType = UNSET


def differences(was: Any, becomes: Any, path: str = "") -> Iterator[Change]:
    """Every field that differs, outermost first; nothing when the two say the same."""
    if same(was, becomes):
        return
    if isinstance(was, dict) and isinstance(becomes, dict):
        for key in [*was, *(key for key in becomes if key not in was)]:
            inner = f"{path}.{key}" if path else key
            yield from _field(was.get(key, UNSET), becomes.get(key, UNSET), inner)
    elif isinstance(was, list) and isinstance(becomes, list):
        yield from _items(was, becomes, path)
    else:
        yield Change(path, was, becomes)


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: numbers by value, the order of keys without meaning."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
    if isinstance(one, int | float | Decimal) and isinstance(other, int | float | Decimal):
        return Decimal(str(one)) == Decimal(str(other))
    return one == other


def _field(was: Any, becomes: Any, path: str) -> Iterator[Change]:
    if was is UNSET or becomes is UNSET:
        yield Change(path, was, becomes)
    else:
        yield from differences(was, becomes, path)


def _items(was: list[Any], becomes: list[Any], path: str) -> Iterator[Change]:
    named = next((name for name in NAMES if _is_named(was, name) and _is_named(becomes, name)), None)
    if named is None:
        for index in range(max(len(was), len(becomes))):
            before = was[index] if index < len(was) else UNSET
            after = becomes[index] if index < len(becomes) else UNSET
            yield from _field(before, after, f"{path}[{index}]")
        return
    had = {each[named]: each for each in was}
    has = {each[named]: each for each in becomes}
    for name in [*had, *(name for name in has if name not in had)]:
        yield from _field(had.get(name, UNSET), has.get(name, UNSET), f"{path}[{name}]")
    kept = [name for name in had if name in has]
    moved = [name for name in has if name in had]
    if kept != moved:
        yield Change(f"{path} (order)", kept, moved)


def _is_named(items: list[Any], name: str) -> bool:
    names = [each.get(name) if isinstance(each, dict) else None for each in items]
    return all(isinstance(each, str) for each in names) and len(set(names)) == len(names)

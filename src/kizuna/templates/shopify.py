"""Filters and comparisons where Shopify's Liquid answers otherwise than the library does."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from liquid import Markup
from liquid.builtin.expressions import logical
from liquid.builtin.expressions.primitive import Blank
from liquid.builtin.filters.array import compact as library_compact
from liquid.builtin.filters.array import sort as library_sort
from liquid.builtin.filters.array import sort_natural as library_sort_natural
from liquid.builtin.filters.math import round_ as library_round
from liquid.builtin.filters.string import slice_ as library_slice
from liquid.exceptions import FilterArgumentError
from liquid.filter import decimal_arg, liquid_filter, math_filter, sequence_filter, string_filter, with_environment
from liquid.limits import to_int
from liquid.undefined import is_undefined

from kizuna.core.entities import unescape

# what a filter's left side becomes first, by what the filter takes
_TEXTS = frozenset({
    "append", "base64_decode", "base64_encode", "base64_url_safe_decode", "base64_url_safe_encode", "capitalize",
    "downcase", "escape", "escape_once", "h", "lstrip", "newline_to_br", "prepend", "remove", "remove_first",
    "remove_last", "replace", "replace_first", "replace_last", "rstrip", "slice", "split", "squish", "strip",
    "strip_html", "strip_newlines", "truncate", "truncatewords", "upcase", "url_decode", "url_encode",
})  # fmt: skip
_LISTS = frozenset(["compact", "concat", "join", "map", "reverse", "sort", "sort_natural", "sum", "uniq", "where"])
_NUMBERS = frozenset(["abs", "ceil", "floor", "round"])


def as_taken(name: str, left: object) -> object:
    """What a filter sees of its left side."""
    kind = type(left)
    if kind is str or kind is int or kind is float:
        return left
    if name in _TEXTS:
        if kind is bool:
            return "true" if left else "false"
        if left is None:
            return ""
        if isinstance(left, (list, tuple, dict)) and name != "slice":
            return inspect(left)
    elif name in _LISTS:
        if left is None:
            return []
        if kind is bool and name != "sum":
            return ["true" if left else "false"]
        if (
            name == "join"
            and isinstance(left, list)
            and any(item is None or item is True or item is False for item in left)
        ):
            return ["" if item is None else inspect(item) if isinstance(item, bool) else item for item in left]
    elif name in _NUMBERS and kind is bool:
        return 0
    return left


def inspect(value: object) -> str:
    """A list or an object written out as Ruby does."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if value is None or is_undefined(value):
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{inspect(key)}=>{inspect(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(inspect, value)) + "]"
    return str(value)


def joined(items: Iterable[object], depth: int = 0) -> Iterable[str]:
    """The parts that a list prints as, inner lists included."""
    for item in items:
        if isinstance(item, (list, tuple)) and depth < 30:
            yield from joined(item, depth + 1)
        elif isinstance(item, str):
            yield item
        elif item is None:
            continue
        elif isinstance(item, bool):
            yield "true" if item else "false"
        elif isinstance(item, Mapping) and type(item) is dict:
            yield inspect(item)
        else:
            yield str(item)


@with_environment
@string_filter
def escape(value: str, *, environment: Any) -> str:
    """A text as it stands in HTML."""
    escaped = html.escape(str(value)).replace("&#x27;", "&#39;")
    return Markup(escaped) if environment.autoescape else escaped


@with_environment
@string_filter
def escape_once(value: str, *, environment: Any) -> str:
    escaped = html.escape(unescape(str(value))).replace("&#x27;", "&#39;")
    return Markup(escaped) if environment.autoescape else escaped


@string_filter
def truncate(value: str, length: object = 50, end: object = "...") -> str:
    most, ending = _whole("truncate", length), str(end)
    return value if len(value) <= most else value[: max(0, most - len(ending))] + ending


@string_filter
def truncatewords(value: str, count: object = 15, end: object = "...") -> str:
    most = max(1, _whole("truncatewords", count))
    if most >= len(value):
        return " ".join(value.split()) if most < _NO_LIMIT else value
    words = value.split(maxsplit=most)
    return " ".join(words[:most]) + str(end) if len(words) > most else " ".join(words)


_NO_LIMIT = 1_000_000  # words; beyond it the text is left alone


def _whole(name: str, given: object) -> int:
    try:
        if is_undefined(given):
            raise ValueError
        return to_int(given)
    except (ValueError, TypeError):
        raise FilterArgumentError(f"{name} expected an integer, found {type(given).__name__}", token=None) from None


@string_filter
def split(value: str, separator: object) -> list[str]:
    """Empty parts at the end are not there."""
    by = "" if separator is None or is_undefined(separator) else str(separator)
    if by == "":
        return list(value)
    parts = value.split(None if by == " " else by)
    while parts and parts[-1] == "":
        parts.pop()
    return parts


@liquid_filter
def slice_(value: Any, start: object, length: object = 1) -> Any:
    if not isinstance(length, bool) and isinstance(length, int) and length < 0:
        return "" if isinstance(value, str) else []
    return library_slice(value, start, length)


@liquid_filter
def first(value: Any) -> object:
    return _end(value, 0)


@liquid_filter
def last(value: Any) -> object:
    return None if isinstance(value, Mapping) else _end(value, -1)


def _end(value: Any, place: int) -> object:
    if isinstance(value, Mapping):
        return next(([key, inner] for key, inner in value.items()), None)
    if isinstance(value, str):
        return value[place] if value else ""
    try:
        return value[place]
    except (TypeError, KeyError, IndexError):
        return None


@math_filter
def round_(number: Any, digits: object = None) -> Any:
    """Halves away from zero when rounding to a whole number."""
    rounded = library_round(number, digits)
    if isinstance(rounded, int) and isinstance(number, float) and rounded != number:
        return math.floor(abs(number) + 0.5) * (1 if number > 0 else -1) if rounded or abs(number) < 1 else rounded
    return rounded


@sequence_filter
def sort(items: Any, key: object = None) -> Any:
    """What is not there comes last."""
    if key:
        return library_sort(items, key)
    known = list(items)
    there = [item for item in known if item is not None]
    return [*library_sort(there), *([None] * (len(known) - len(there)))]


@sequence_filter
def sort_natural(items: Any, key: object = None) -> Any:
    if key:
        return library_sort_natural(items, key)
    known = list(items)
    there = [item for item in known if item is not None]
    return [*library_sort_natural(there), *([None] * (len(known) - len(there)))]


@sequence_filter
def compact(items: Any, key: object = None) -> Any:
    if key is not None:
        return library_compact(items, key)
    return [item for item in items if item is not None and not is_undefined(item) and type(item).__name__ != "_Null"]


@sequence_filter
def sum_(items: Any, key: object = None) -> Any:
    """What is no number counts as 0."""
    by_key = key is not None and not is_undefined(key)
    total: Any = 0
    for item in items:
        if by_key and not isinstance(item, Mapping):
            raise FilterArgumentError(f"can't read property '{key}'", token=None)
        total += _number(item.get(key, 0) if by_key else item)
    return float(total) if isinstance(total, Decimal) else total


def _number(value: object) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, (dict, list)) or is_undefined(value):
        return 0
    try:
        return decimal_arg(value, 0)
    except ArithmeticError:
        return 0


FILTERS: dict[str, Any] = {
    "escape": escape, "h": escape, "escape_once": escape_once, "truncate": truncate, "truncatewords": truncatewords,
    "split": split, "slice": slice_, "first": first, "last": last, "round": round_, "sort": sort,
    "sort_natural": sort_natural, "compact": compact, "sum": sum_,
}  # fmt: skip


def _equal(left: object, right: object) -> bool:
    """Nothing and `false` are blank, too."""
    if isinstance(right, Blank):
        left, right = right, left
    if isinstance(left, Blank) and (right is None or right is False or is_undefined(right)):
        return True
    return _library_equal(left, right)


# python-liquid has no seam for its operators
_library_equal: Any = vars(logical)["_eq"]
setattr(logical, "_eq", _equal)  # noqa: B010

"""The operators of a condition: what constants they take, and what they say of a value at an instant in a zone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import re2

from kizuna.core import clock
from kizuna.core.clock import DAY, Duration
from kizuna.core.errors import Invalid
from kizuna.segments import anniversary
from kizuna.segments.rule import Test
from kizuna.segments.values import equal, folded, number

Check = Callable[[Any, int, str], bool]  # value (never null), now, zone

NEGATIVE = {"is_not": "is", "not_in": "in", "not_contains": "contains"}  # true when no value passes the other
TIMED = ("within_last", "within_next", "anniversary")  # time alone changes their answer
ZONED = ("between", "before", "after", *TIMED)  # a plain date is local


def check_operand(op: str, value: Any) -> None:
    """Raises `Invalid` when `op` cannot take the constant."""
    if value is None:
        raise Invalid("null is no value; ask with `exists`", code="invalid_value")
    if op in _TAKES:
        takes, what = _TAKES[op]
        if not takes(value):
            raise Invalid(f"`{op}` takes {what}", code="invalid_value")
    elif op in ("within_last", "within_next"):
        clock.duration(value)
    elif op == "anniversary":
        anniversary.check(value)
    elif op == "matches":
        if not isinstance(value, str) or len(value) > 1000:
            raise Invalid("`matches` takes a pattern of at most 1000 characters", code="invalid_value")
        pattern(value, fold=False)


_TAKES: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("in", "not_in"), (lambda value: _is_listed(value), "a list of values, none of them null")),
    **dict.fromkeys(("gt", "gte", "lt", "lte"), (lambda value: number(value) is not None, "a number")),
    **dict.fromkeys(("before", "after"), (lambda value: _is_time(value), "an RFC 3339 time or date")),
    **dict.fromkeys(("starts_with", "ends_with"), (lambda value: isinstance(value, str), "text")),
    "between": (lambda value: is_range(value), "two numbers or two RFC 3339 times: [from, to]"),
    "exists": (lambda value: isinstance(value, bool), "true or false"),
}


def _is_listed(value: Any) -> bool:
    return isinstance(value, list) and None not in value


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and clock.read_time(value) is not None


def is_range(value: Any) -> bool:
    """Two numbers or two times."""
    if not isinstance(value, list) or len(value) != 2:
        return False
    return number_range(value) or (_is_time(value[0]) and _is_time(value[1]))


def number_range(value: list[Any]) -> bool:
    return number(value[0]) is not None and number(value[1]) is not None


def pattern(text: str, *, fold: bool) -> Any:
    """A linear-time pattern; raises `Invalid`."""
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not fold
    try:
        return re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise Invalid(f"not an RE2 pattern: {reason}", code="invalid_pattern") from None


def compile_check(test: Test, *, fold: bool) -> Check:
    """The positive sense of an operator: for `is_not` what `is` says, for `exists: false` what `exists: true` says."""
    op, constant = NEGATIVE.get(test.op, test.op), test.value
    if not fold:
        return _CHECKS[op](constant)
    if op == "matches":
        found = pattern(constant, fold=True)
        return lambda value, now, zone: isinstance(value, str) and found.search(folded(value)) is not None
    check = _CHECKS[op](folded(constant) if op in _FOLDING else constant)
    return (lambda value, now, zone: check(folded(value), now, zone)) if op in _FOLDING else check


_FOLDING = frozenset(("is", "in", "contains", "starts_with", "ends_with"))


def is_negative(test: Test) -> bool:
    return test.op in NEGATIVE or (test.op == "exists" and test.value is False)


def _is(constant: Any) -> Check:
    as_number = number(constant)
    if as_number is None and isinstance(constant, str):
        return lambda value, now, zone: value == constant
    if isinstance(constant, str):
        return lambda value, now, zone: value == constant if type(value) is str else number(value) == as_number
    return lambda value, now, zone: equal(value, constant)


def _in(constants: list[Any]) -> Check:
    if all(isinstance(each, str) and number(each) is None for each in constants):
        known = frozenset(constants)
        return lambda value, now, zone: type(value) is str and value in known
    return lambda value, now, zone: any(equal(value, each) for each in constants)


def _compare(holds: Callable[[Any, Any], bool]) -> Callable[[Any], Check]:
    def build(constant: Any) -> Check:
        bound = number(constant)

        def check(value: Any, now: int, zone: str) -> bool:
            found = value if type(value) is int else number(value)
            return found is not None and holds(found, bound)

        return check

    return build


def _between(constants: list[Any]) -> Check:
    if not number_range(constants):
        starts, ends = _instant_of(constants[0]), _instant_of(constants[1])
        return lambda value, now, zone: _in_span(instant(value, zone), starts(zone), ends(zone))
    low, high = number(constants[0]), number(constants[1])

    def check(value: Any, now: int, zone: str) -> bool:
        found = number(value)
        return found is not None and low <= found <= high  # type: ignore[operator]

    return check


def _in_span(found: int | None, start: int, end: int) -> bool:
    return found is not None and start <= found < end


def _contains(constant: Any) -> Check:
    def check(value: Any, now: int, zone: str) -> bool:
        if isinstance(value, str):
            return isinstance(constant, str) and constant in value
        return isinstance(value, list) and any(equal(each, constant) for each in value if each is not None)

    return check


def _before(constant: str) -> Check:
    bound = _instant_of(constant)
    return lambda value, now, zone: (found := instant(value, zone)) is not None and found < bound(zone)


def _after(constant: str) -> Check:
    bound = _instant_of(constant)
    return lambda value, now, zone: (found := instant(value, zone)) is not None and found > bound(zone)


def _within_last(constant: str) -> Check:
    length = clock.duration(constant)
    return lambda value, now, zone: (
        (found := instant(value, zone)) is not None and found <= now < clock.after(found, length, zone)
    )


def _within_next(constant: str) -> Check:
    length = clock.duration(constant)
    return lambda value, now, zone: (
        (found := instant(value, zone)) is not None and now <= found < clock.after(now, length, zone)
    )


def _matches(constant: str) -> Check:
    search = pattern(constant, fold=False).search
    return lambda value, now, zone: isinstance(value, str) and search(value) is not None


_CHECKS: dict[str, Callable[[Any], Check]] = {
    "is": _is,
    "in": _in,
    "gt": _compare(lambda found, bound: found > bound),
    "gte": _compare(lambda found, bound: found >= bound),
    "lt": _compare(lambda found, bound: found < bound),
    "lte": _compare(lambda found, bound: found <= bound),
    "between": _between,
    "contains": _contains,
    "starts_with": lambda constant: lambda value, now, zone: isinstance(value, str) and value.startswith(constant),
    "ends_with": lambda constant: lambda value, now, zone: isinstance(value, str) and value.endswith(constant),
    "matches": _matches,
    "exists": lambda constant: lambda value, now, zone: True,
    "before": _before,
    "after": _after,
    "within_last": _within_last,
    "within_next": _within_next,
    "anniversary": anniversary.compile_check,
}


def instant(value: Any, zone: str) -> int | None:
    """The instant that text names; a plain date begins at local midnight."""
    return clock.read_time(value, zone) if isinstance(value, str) else None


def _instant_of(constant: str) -> Callable[[str], int]:
    """An instant of the rule; one without an offset is read in the profile's zone."""
    fixed, elsewhere = clock.read_time(constant, "UTC"), clock.read_time(constant, "Asia/Tokyo")
    if fixed is not None and fixed == elsewhere:
        return lambda zone: fixed
    return lambda zone: clock.read_time(constant, zone) or 0


def next_change(test: Test, value: Any, now: int, zone: str) -> int:
    """The first instant after `now` at which time alone changes what `test` says of a value; 0 is never."""
    found = instant(value, zone)
    if found is None or test.op not in TIMED:
        return 0
    if test.op == "anniversary":
        return anniversary.next_change(test.value, value, now, zone)
    length = clock.duration(test.value)
    if test.op == "within_last":
        return found if found > now else _later(clock.after(found, length, zone), now)
    if now <= found < clock.after(now, length, zone):
        return found + 1
    return _first_reaching(found, length, now, zone) if found > now else 0


def _later(instant: int, now: int) -> int:
    return instant if instant > now else 0


def _first_reaching(found: int, length: Duration, now: int, zone: str) -> int:
    """The first instant after `now` from which `length` reaches beyond `found`."""
    if not length.months:
        return found - length.exact + 1
    low, high = max(now, clock.before(found, length, zone) - 4 * DAY), found
    while high - low > 1:
        middle = (low + high) // 2
        if clock.after(middle, length, zone) > found:
            high = middle
        else:
            low = middle
    return high

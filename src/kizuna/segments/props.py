"""Conditions on a JSON object, compiled once to a function that is called for every event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from kizuna.segments.operators import Check, compile_check, is_negative
from kizuna.segments.rule import Condition


class PropsCheck(Protocol):
    """Whether properties pass; `now` is the instant that `within_last` and its like are measured from."""

    def __call__(self, properties: dict[str, Any], now: int = 0, zone: str = "UTC") -> bool: ...


def compile_props(raw: Any, pointer: str = "") -> PropsCheck:
    """PROPS as written in JSON; raises `Invalid` with pointers."""
    from kizuna.segments.parse import parse_props

    return compile_conditions(parse_props(raw, pointer))


def compile_conditions(conditions: Sequence[Condition]) -> PropsCheck:
    """All of them must hold."""
    checks = [compile_condition(each) for each in conditions]
    if len(checks) == 1:
        return checks[0]

    def holds(properties: dict[str, Any], now: int = 0, zone: str = "UTC") -> bool:
        return all(check(properties, now, zone) for check in checks)

    return holds


def compile_condition(condition: Condition) -> PropsCheck:
    judge = compile_judge(condition)
    if "*" in condition.path:
        find = compile_elements(condition.path)
        return lambda properties, now=0, zone="UTC": judge(find(properties), now, zone)
    read = compile_path(condition.path)
    if len(condition.tests) == 1 and not is_negative(condition.tests[0]):
        check = compile_check(condition.tests[0], fold=condition.fold)

        def passes(properties: dict[str, Any], now: int = 0, zone: str = "UTC") -> bool:
            value = read(properties)
            return value is not None and check(value, now, zone)

        return passes

    def holds(properties: dict[str, Any], now: int = 0, zone: str = "UTC") -> bool:
        value = read(properties)
        return judge([] if value is None else [value], now, zone)

    return holds


def compile_judge(condition: Condition) -> Callable[[list[Any], int, str], bool]:
    """What a condition says of the values found: one passes all that must hold, none what must not."""
    wanted: list[Check] = [compile_check(t, fold=condition.fold) for t in condition.tests if not is_negative(t)]
    unwanted: list[Check] = [compile_check(t, fold=condition.fold) for t in condition.tests if is_negative(t)]

    def judge(values: list[Any], now: int, zone: str) -> bool:
        if wanted and not any(all(check(value, now, zone) for check in wanted) for value in values):
            return False
        return not any(check(value, now, zone) for check in unwanted for value in values)

    return judge


def compile_path(path: tuple[str, ...]) -> Callable[[dict[str, Any]], Any]:
    """The value at a path without `*`; None is missing."""
    if len(path) == 1:
        key = path[0]
        return lambda properties: properties.get(key)

    def read(properties: dict[str, Any]) -> Any:
        value: Any = properties
        for part in path:
            if not isinstance(value, dict):
                return None
            value = value.get(part)
        return value

    return read


def compile_elements(path: tuple[str, ...]) -> Callable[[dict[str, Any]], list[Any]]:
    """All values at a path with `*`, without nulls."""

    def find(properties: dict[str, Any]) -> list[Any]:
        values: list[Any] = [properties]
        for part in path:
            if part == "*":
                values = [each for value in values if isinstance(value, list) for each in value]
            else:
                values = [value.get(part) for value in values if isinstance(value, dict)]
        return [value for value in values if value is not None]

    return find

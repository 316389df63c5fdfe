"""Segments as the definition says, counted out over what each customer did; shares nothing with leaves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct

from kizuna.core import clock


class Did(Struct, frozen=True):
    event: str
    at: int
    properties: Mapping[str, Any]


Rules = Mapping[str, Mapping[str, Any]]
KNOWN = frozenset(("all", "any", "not", "did", "did_not", "sum", "sequence", "in_segment"))


def is_known(rule: Mapping[str, Any], rules: Rules) -> bool:
    """Whether the rule, with those it asks for, stands on events alone."""
    if "in_segment" in rule:
        return rule["in_segment"] not in rules or is_known(rules[rule["in_segment"]], rules)
    inner = [*rule.get("all", ()), *rule.get("any", ()), *([rule["not"]] if "not" in rule else ())]
    return bool(KNOWN & set(rule)) and all(is_known(each, rules) for each in inner)


def holds(rule: Mapping[str, Any], history: Iterable[Did], now: int, zone: str, rules: Rules) -> bool:
    done = [each for each in history if each.at <= now]
    if "all" in rule:
        return all(holds(each, done, now, zone, rules) for each in rule["all"])
    if "any" in rule:
        return any(holds(each, done, now, zone, rules) for each in rule["any"])
    if "not" in rule:
        return not holds(rule["not"], done, now, zone, rules)
    if "in_segment" in rule:
        asked = rules.get(rule["in_segment"])
        return asked is not None and holds(asked, done, now, zone, rules)
    since = clock.before(now, clock.duration(rule["within"]), zone) if "within" in rule else None
    inside = [each for each in done if _is_inside(each.at, since, now, rule, zone)]
    if "sequence" in rule:
        return _follows(rule["sequence"], inside)
    if "sum" in rule:
        asked_of = rule["sum"]
        total = sum(
            (_number(each.properties.get(asked_of["property"])) or Decimal(0)
             for each in inside if each.event == asked_of["event"]), Decimal(0),
        )  # fmt: skip
        return _compares(total, rule)
    event = rule.get("did") or rule["did_not"]
    count = sum(1 for each in inside if each.event == event and _passes(each, rule.get("where", ())))
    return count == 0 if "did_not" in rule else _compares(Decimal(count), rule.get("count", {"gte": 1}))


def _is_inside(at: int, since: int | None, now: int, rule: Mapping[str, Any], zone: str) -> bool:
    if since is None:
        return True
    length = clock.duration(rule["within"])
    return clock.after(at, length, zone) > now if length.months else since < at <= now


def _follows(steps: list[dict[str, Any]], done: list[Did]) -> bool:
    """Whether each step is strictly after the one before it, at most its own `within` later."""
    ends = {each.at for each in done if each.event == steps[0]["did"]}
    for step in steps[1:]:
        length = clock.duration(step["within"]).exact if "within" in step else None
        ends = {
            each.at
            for each in done
            if each.event == step["did"]
            and any(end < each.at and (length is None or each.at - end <= length) for end in ends)
        }
    return bool(ends)


def _passes(did: Did, where: Iterable[Mapping[str, Any]]) -> bool:
    for condition in where:
        number = _number(did.properties.get(condition["property"]))
        if number is None or not _compares(number, condition):
            return False
    return True


def _compares(number: Decimal, tests: Mapping[str, Any]) -> bool:
    asked = {
        "gte": number.__ge__,
        "gt": number.__gt__,
        "lte": number.__le__,
        "lt": number.__lt__,
        "is": number.__eq__,
    }
    return all(asked[op](Decimal(str(value))) for op, value in tests.items() if op in asked)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or value is None:
        return None
    text = value if isinstance(value, str) else str(value)
    if isinstance(value, str) and not re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", value):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None

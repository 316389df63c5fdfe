"""Conditions on JSON values in SQL. A value is JSON text; NULL and `null` are missing. Expressions are never NULL."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from kizuna.core import clock
from kizuna.segments import anniversary
from kizuna.segments.operators import NEGATIVE, is_negative, number_range
from kizuna.segments.rule import Condition, Test
from kizuna.segments.sql_text import fresh, json_path, let, literal
from kizuna.segments.sql_time import Zones, anniversary_sql, month_day_sql, time_sql
from kizuna.segments.values import NARROW, WIDE, folded, number

_NUMERIC = "^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]{1,9})?$"


def condition_sql(condition: Condition, json: str, now: str, zones: Zones) -> str:
    """One value passes all that must hold, and none what must not."""
    wanted = [test for test in condition.tests if not is_negative(test)]
    unwanted = [test for test in condition.tests if is_negative(test)]

    def holds(value: str, tests: list[Test], word: str) -> str:
        return f" {word} ".join(test_sql(test, value, condition.fold, now, zones) for test in tests)

    parts = []
    if "*" in condition.path:
        name = fresh()
        elements = element_list(condition.path, json)
        if wanted:
            parts.append(f"len(list_filter({elements}, lambda {name}: {holds(name, wanted, 'AND')})) > 0")
        if unwanted:
            parts.append(f"len(list_filter({elements}, lambda {name}: {holds(name, unwanted, 'OR')})) = 0")
    else:

        def judge(value: str) -> str:
            if wanted:
                parts.append(f"({value} IS NOT NULL AND {holds(value, wanted, 'AND')})")
            if unwanted:
                parts.append(f"({value} IS NULL OR NOT ({holds(value, unwanted, 'OR')}))")
            return " AND ".join(parts) or "true"

        return let(value_of(condition.path, json), judge)
    return f"({' AND '.join(parts)})" if parts else "true"


def value_of(path: tuple[str, ...], json: str) -> str:
    """The JSON text at a path, NULL when it is missing."""
    return f"nullif(CAST(json_extract({json}, {json_path(path)}) AS VARCHAR), 'null')"


def element_list(path: tuple[str, ...], json: str) -> str:
    """All values at a path as a list of JSON text, nulls left out."""
    if "*" not in path:
        found = f"[{value_of(path, json)}]"
        return f"list_filter({found}, lambda v: v IS NOT NULL)"
    found = f"CAST(json_extract({json}, {json_path(path)}) AS VARCHAR[])"
    return f"coalesce(list_filter({found}, lambda v: v IS NOT NULL AND v <> 'null'), [])"


def test_sql(test: Test, value: str, fold: bool, now: str, zones: Zones) -> str:
    """The positive sense of one operator, of a value that is there."""
    op, constant = NEGATIVE.get(test.op, test.op), test.value
    match op:
        case "exists":
            return "true"
        case "is":
            return _equal(value, constant, fold)
        case "in":
            return f"({' OR '.join(_equal(value, each, fold) for each in constant)})" if constant else "false"
        case "gt" | "gte" | "lt" | "lte":
            sign = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}[op]
            return f"coalesce({number_sql(value)} {sign} {_constant(constant)}, false)"
        case "between" if number_range(constant):
            low, high = (_constant(each) for each in constant)
            return f"coalesce({number_sql(value)} BETWEEN {low} AND {high}, false)"
        case "contains":
            return _contains(value, constant, fold)
        case "starts_with" | "ends_with":
            return f"coalesce({op}({_text(value, fold)}, {_folded(constant, fold)}), false)"
        case "matches":
            flags = ", 'i'" if fold else ""
            return f"coalesce(regexp_matches({_text(value, fold)}, {literal(constant)}{flags}), false)"
        case "anniversary":
            return _anniversary(value, constant, now, zones)
        case _:
            timed = let(time_sql(_text(value), zones), lambda found: _timed(op, constant, found, now, zones))
            return f"coalesce({timed}, false)"


def _timed(op: str, constant: Any, found: str, now: str, zones: Zones) -> str:
    match op:
        case "before":
            return f"{found} < {zones.instant(constant)}"
        case "after":
            return f"{found} > {zones.instant(constant)}"
        case "between":
            return f"({found} >= {zones.instant(constant[0])} AND {found} < {zones.instant(constant[1])})"
    length = clock.duration(constant)
    if op == "within_last":
        return f"({found} <= {now} AND {zones.still_within(found, length, now)})"
    return f"({found} >= {now} AND {found} < {zones.after(now, length)})"


def _anniversary(value: str, constant: Any, now: str, zones: Zones) -> str:
    """Of the question's own instant all days are worked out here; of an event's, in SQL."""
    if not now.isdigit():
        return anniversary_sql(_text(value), clock.duration(constant["within_next"]), now, zones)

    def listed(zone: str) -> str:
        days = sorted(anniversary.month_days(constant, int(now), zone))
        return "[" + ", ".join(f"'{month:02d}-{day:02d}'" for month, day in days) + "]"

    return f"coalesce(list_contains({zones.by_zone(listed)}, {month_day_sql(_text(value), zones)}), false)"


def _is_text(value: str) -> str:
    return f"left({value}, 1) = '\"'"


def _text(value: str, fold: bool = False) -> str:
    """The text that a value is, NULL when it is no text."""
    text = f"(CASE WHEN {_is_text(value)} THEN json_extract_string({value}, '$') END)"
    return _fold_sql(text) if fold else text


def _fold_sql(text: str) -> str:
    narrow = f"nfc_normalize(translate({text}, {literal(WIDE)}, {literal(NARROW)}))"
    return f"replace(translate(lower({narrow}), 'ςſ', 'σs'), 'ß', 'ss')"


def _folded(constant: str, fold: bool) -> str:
    return literal(folded(constant) if fold else constant)


def number_sql(value: str) -> str:
    """The number that a value is, also as text; NULL when it is none."""
    return let(bare_sql(value), number_of)


def bare_sql(value: str) -> str:
    """A value without the quotes of a text: what `number_of` reads."""
    return f"(CASE WHEN {_is_text(value)} THEN json_extract_string({value}, '$') ELSE {value} END)"


def number_of(bare: str) -> str:
    return f"CASE WHEN regexp_matches({bare}, '{_NUMERIC}') THEN try_cast({bare} AS DECIMAL(38, 18)) END"


def _constant(value: Any) -> str:
    found = number(value)
    return f"CAST('{Decimal(found or 0):f}' AS DECIMAL(38, 18))"


def _equal(value: str, constant: Any, fold: bool) -> str:
    """Whole JSON values, part by part; never NULL when the value is not."""
    if isinstance(constant, bool):
        return f"{value} = '{str(constant).lower()}'"
    if isinstance(constant, str):
        as_text = f"coalesce({_text(value, fold)} = {_folded(constant, fold)}, false)"
        if number(constant) is None:
            return as_text
        return f"(CASE WHEN {_is_text(value)} THEN {as_text} ELSE {_equal_number(value, constant)} END)"
    if isinstance(constant, list):
        parts = [f"coalesce(left({value}, 1) = '[' AND json_array_length({value}) = {len(constant)}, false)"]
        parts += [_equal_part(f"json_extract({value}, '$[{i}]')", each, fold) for i, each in enumerate(constant)]
        return f"({' AND '.join(parts)})"
    if isinstance(constant, dict):
        parts = [f"coalesce(left({value}, 1) = '{{' AND len(json_keys({value})) = {len(constant)}, false)"]
        parts += [
            _equal_part(f"json_extract({value}, {json_path((key,))})", each, fold) for key, each in constant.items()
        ]
        return f"({' AND '.join(parts)})"
    return _equal_number(value, constant)


def _equal_number(value: str, constant: Any) -> str:
    return f"coalesce({number_sql(value)} = {_constant(constant)}, false)"


def _equal_part(json: str, constant: Any, fold: bool) -> str:
    value = f"CAST({json} AS VARCHAR)"
    if constant is None:
        return f"coalesce({value} = 'null', false)"
    return f"coalesce({_equal(value, constant, fold)}, false)"


def _contains(value: str, constant: Any, fold: bool) -> str:
    name = fresh()
    elements = f"CAST(json_extract({value}, '$[*]') AS VARCHAR[])"
    in_list = f"len(list_filter({elements}, lambda {name}: {name} <> 'null' AND {_equal(name, constant, fold)})) > 0"
    listed = f"(left({value}, 1) = '[' AND coalesce({in_list}, false))"
    if not isinstance(constant, str):
        return listed
    return f"(coalesce(contains({_text(value, fold)}, {_folded(constant, fold)}), false) OR {listed})"


def identity_sql(value: str) -> str:
    """One text for each JSON value: numbers by value, lists and objects by all that is in them, keys in any order."""
    part = f"struct_pack(k := r.fullkey, v := coalesce({_scalar_identity('CAST(r.atom AS VARCHAR)')}, r.type))"
    inside = f"SELECT CAST(list({part} ORDER BY r.fullkey) AS VARCHAR) FROM json_tree({value}) r"  # noqa: S608
    return f"(CASE WHEN left({value}, 1) IN ('{{', '[') THEN ({inside}) ELSE {_scalar_identity(value)} END)"


def _scalar_identity(value: str) -> str:
    as_number = f"CAST(try_cast({value} AS DECIMAL(38, 18)) AS VARCHAR)"
    return f"(CASE WHEN regexp_matches({value}, '{_NUMERIC}') THEN coalesce({as_number}, {value}) ELSE {value} END)"

"""What each operator says of present, missing, null and oddly typed values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from kizuna.core import clock
from kizuna.segments.props import compile_props


def holds(properties: dict[str, Any], now: str = "", zone: str = "UTC", **tests: Any) -> bool:
    raw = [{"property": tests.pop("path", "x"), **tests}]
    return compile_props(raw)(properties, clock.read_time(now) or 0 if now else 0, zone)


@pytest.mark.parametrize(
    ("value", "test", "expected"),
    [
        (1, {"is": 1}, True),
        (1, {"is": "1.0"}, True),
        ("1", {"is": 1.0}, True),
        ("1.0", {"is": "1"}, False),  # text with text is text
        ("01", {"is": 1}, False),  # no JSON number
        (" 1", {"is": 1}, False),
        (True, {"is": 1}, False),
        (True, {"is": True}, True),
        (True, {"is": "true"}, False),
        (Decimal("0.1"), {"is": 0.1}, True),
        (Decimal("1e2"), {"is": 100}, True),
        ({"a": [1, "2"]}, {"is": {"a": ["1", 2]}}, True),
        ({"a": 1, "b": 2}, {"is": {"a": 1}}, False),
        ("", {"is": ""}, True),
        ("", {"exists": True}, True),
        (None, {"exists": True}, False),
        (None, {"exists": False}, True),
        (None, {"is_not": 1}, True),
        (None, {"not_in": [1]}, True),
        (None, {"not_contains": "a"}, True),
        (None, {"is": ""}, False),
        (None, {"lt": 1}, False),
        ("5", {"gt": 4}, True),
        ("5", {"gt": "10"}, False),  # numeric text is a number
        ("abc", {"gt": 0}, False),
        (True, {"gte": 1}, False),
        (5, {"between": [1, 5]}, True),
        ("gold", {"contains": "ol"}, True),
        (["gold"], {"contains": "ol"}, False),
        (["gold", 1], {"contains": "1"}, True),
        (123, {"contains": "2"}, False),
        (123, {"starts_with": "1"}, False),
        (123, {"not_contains": "2"}, True),
        ("a\nb", {"matches": "a.b"}, False),
        ("xay", {"matches": "a"}, True),
        ("Ｇｏｌｄ", {"is": "gold"}, False),
        ("Ｇｏｌｄ", {"is": "gold", "fold": True}, True),
        ("ｶﾞ", {"in": ["ガ"], "fold": True}, True),
        ("gold", {"in": []}, False),
        ("gold", {"not_in": []}, True),
        ("2026-03-02", {"before": "2026-03-03"}, True),
        ("2026-03-02", {"before": "2026-03-02"}, False),
        ("2026-03-02", {"after": "2026-03-02"}, False),
        ("2026-03-02", {"between": ["2026-03-01", "2026-03-02"]}, False),
        ("2026-03-01", {"between": ["2026-03-01", "2026-03-02"]}, True),
        (1772409600, {"after": "2000-01-01"}, False),
    ],
)
def test_values(value: Any, test: dict[str, Any], expected: bool) -> None:
    assert holds({"x": value}, **test) is expected
    if value is None:
        assert holds({}, **test) is expected


@pytest.mark.parametrize(
    ("skus", "test", "expected"),
    [
        (["a", "b"], {"is": "b"}, True),
        (["a", "b"], {"is_not": "b"}, False),
        (["a", "c"], {"not_in": ["b"]}, True),
        ([], {"is": "b"}, False),
        ([], {"is_not": "b"}, True),
        ([None], {"exists": True}, False),
        ([None], {"exists": False}, True),
        ([1, 9], {"gt": 2, "lt": 5}, False),  # one element must satisfy all
        ([1, 3], {"gt": 2, "lt": 5}, True),
    ],
)
def test_any_element(skus: list[Any], test: dict[str, Any], expected: bool) -> None:
    products = {"products": [{"sku": sku} for sku in skus]}
    assert holds(products, path="products.*.sku", **test) is expected


def test_a_path_through_something_else_is_missing() -> None:
    assert not holds({"a": [{"b": 1}]}, path="a.b", exists=True)
    assert not holds({"a": {"b": 1}}, path="a.*", exists=True)
    assert holds({"a": {"b.c": 1, "b": {"c": 2}}}, path="a.b.c", **{"is": 2})


@pytest.mark.parametrize(
    ("now", "test", "expected"),
    [
        ("2026-03-08T00:00:00Z", {"within_last": "7d"}, False),
        ("2026-03-07T23:59:59.999999Z", {"within_last": "7d"}, True),
        ("2026-03-01T00:00:00Z", {"within_last": "7d"}, True),
        ("2026-02-28T23:59:59Z", {"within_last": "7d"}, False),
        ("2026-03-01T00:00:00Z", {"within_next": "7d"}, True),
        ("2026-02-22T00:00:00Z", {"within_next": "7d"}, False),
        ("2026-02-22T00:00:00.000001Z", {"within_next": "7d"}, True),
        ("2026-03-01T00:00:00.000001Z", {"within_next": "7d"}, False),
    ],
)
def test_relative_windows_are_half_open(now: str, test: dict[str, Any], expected: bool) -> None:
    assert holds({"x": "2026-03-01"}, now, **test) is expected


def test_a_plain_date_begins_at_local_midnight() -> None:
    late = {"x": "2026-03-01T20:00:00Z"}
    assert holds(late, zone="Asia/Tokyo", after="2026-03-02")
    assert not holds(late, zone="America/New_York", after="2026-03-02")

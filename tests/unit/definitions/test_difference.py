"""Differences field by field."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec import UNSET

from kizuna.definitions.difference import Change, differences, same


@pytest.mark.parametrize(
    ("was", "becomes", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1.5, "b": 2}, {"b": 2, "a": Decimal("1.50")}, []),
        ({"a": 1}, {"a": True}, [Change("a", 1, True)]),
        ({"a": "1"}, {"a": 1}, [Change("a", "1", 1)]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3, "d": None}},
         [Change("a.b", 1, 3), Change("a.c", 2, UNSET), Change("a.d", UNSET, None)]),
        ({"a": [1, 2, 3]}, {"a": [1, 4]}, [Change("a[1]", 2, 4), Change("a[2]", 3, UNSET)]),
        ({"steps": [{"id": "x", "delay": "1d"}, {"id": "y"}]}, {"steps": [{"id": "n"}, {"id": "x", "delay": "2d"}]},
         [Change("steps[x].delay", "1d", "2d"), Change("steps[y]", {"id": "y"}, UNSET),
          Change("steps[n]", UNSET, {"id": "n"})]),
        ({"steps": [{"id": "x"}, {"id": "y"}]}, {"steps": [{"id": "y"}, {"id": "x"}]},
         [Change("steps (order)", ["x", "y"], ["y", "x"])]),
        ({"steps": [{"id": "x", "n": 1}, {"id": "x"}]}, {"steps": [{"id": "x", "n": 2}, {"id": "x"}]},
         [Change("steps[0].n", 1, 2)]),
    ],
)  # fmt: skip
def test_each_field_that_differs_is_named(was: Any, becomes: Any, expected: list[Change]) -> None:
    assert list(differences(was, becomes)) == expected
    assert same(was, becomes) is (not expected)

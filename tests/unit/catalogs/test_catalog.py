from __future__ import annotations

from typing import Any

import pytest

from kizuna.catalogs.catalog import read
from kizuna.core.errors import Invalid


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"fields": {"price": "money"}}, "/fields/price"),
        ({"fields": []}, "/fields"),
        ({"colour": 1}, "/colour"),
        ({"selections": [{"name": "a", "limit": 51}]}, "/selections/0/limit"),
        ({"selections": [{"name": " "}]}, "/selections/0/name"),
        ({"selections": [{"name": "a"}, {"name": "a"}]}, "/selections/1/name"),
        ({"selections": [{"name": "a", "where": {"p": {"near": 1}}}]}, "/selections/0/where/p/near"),
        ({"selections": [{"name": "a", "where": {"p": {"gt": [1]}}}]}, "/selections/0/where/p/gt"),
        ({"selections": [{"name": "a", "where": {"p": {"is": None}}}]}, "/selections/0/where/p/is"),
        ({"selections": [{"name": "a", "where": {"p": {"in": []}}}]}, "/selections/0/where/p/in"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(body: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as error:
        read(body)
    assert [each.pointer for each in error.value.errors] == [pointer]


def test_a_selection_is_found_by_its_name() -> None:
    catalog = read({"fields": {"price": "number"}, "selections": [{"name": "cheap", "sort": {"field": "price"}}]})
    found = catalog.selection("cheap")
    assert found is not None and found.limit == 10
    assert catalog.selection("dear") is None

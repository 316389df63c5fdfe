from __future__ import annotations

from typing import Any

import pytest

from kizuna.catalogs.catalog import Catalog
from kizuna.catalogs.item import AT_ONCE, ITEM_BYTES, checked
from kizuna.core.errors import Invalid

TYPED = Catalog(fields={"name": "text", "price": "number", "on": "boolean", "at": "time", "tags": "list"})


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        ("tea", "/items/0"), ({}, "/items/0/id"), ({"id": 1}, "/items/0/id"), ({"id": "a\nb"}, "/items/0/id"),
        ({"id": "a", "price": "1"}, "/items/0/price"), ({"id": "a", "on": 1}, "/items/0/on"),
        ({"id": "a", "price": True}, "/items/0/price"), ({"id": "a", "at": "soon"}, "/items/0/at"),
        ({"id": "a", "tags": "x"}, "/items/0/tags"), ({"id": "a", "more": "x" * ITEM_BYTES}, "/items/0"),
    ],
)  # fmt: skip
def test_an_item_that_is_none_is_refused_with_its_place(item: Any, pointer: str) -> None:
    with pytest.raises(Invalid) as error:
        checked(TYPED, [item])
    assert [each.pointer for each in error.value.errors] == [pointer]


def test_what_is_missing_or_not_declared_may_be() -> None:
    items = [{"id": "a", "price": 1.5, "at": "2026-01-01T00:00:00Z"}, {"id": "b", "name": None, "colour": ["red"]}]
    assert checked(TYPED, items) == items


def test_an_id_stands_once_in_a_request_and_requests_are_bounded() -> None:
    with pytest.raises(Invalid) as error:
        checked(Catalog(), [{"id": "a"}, {"id": "a"}])
    assert error.value.errors[0].code == "twice"
    with pytest.raises(Invalid) as error:
        checked(Catalog(), [{"id": "a"}] * (AT_ONCE + 1))
    assert error.value.code == "too_large"

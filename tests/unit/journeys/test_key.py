from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from kizuna.engine.moment import Item, Moment
from kizuna.journeys.key import concerns, key_of, text_of


def moment(properties: bytes) -> Moment:
    return Moment(Item(b"p" * 16, "m", "track", "A", properties=properties), 0, 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a-1", "a-1"),
        (7, "7"),
        ("7", "7"),
        (Decimal("7.0"), "7"),
        (Decimal("7.50"), "7.5"),
        (100, "100"),
        (Decimal("1E+2"), "100"),
        (True, "true"),
        ([1], "[1]"),
    ],
)
def test_a_value_is_one_text(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_the_path_may_be_deep_and_what_is_missing_is_no_key() -> None:
    assert key_of("properties.order.id", moment(b'{"order": {"id": 5}}')) == "5"
    for properties in (b"{}", b'{"order": 5}', b'{"order": {"id": null}}', b'{"order": [1]}'):
        assert key_of("properties.order.id", moment(properties)) is None


def test_an_event_without_the_key_concerns_every_run() -> None:
    assert concerns("properties.id", "5", moment(b"{}"))
    assert concerns("properties.id", "5", moment(b'{"id": "5"}'))
    assert not concerns("properties.id", "5", moment(b'{"id": 6}'))
    assert concerns("", "", moment(b'{"id": 6}'))

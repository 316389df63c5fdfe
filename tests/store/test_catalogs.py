"""What a selection names on real PostgreSQL, beside a plain reading of its conditions."""

from __future__ import annotations

from typing import Any

import msgspec
import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kizuna.catalogs import store
from kizuna.catalogs.catalog import OPERATORS, Selection, Sort, read
from kizuna.testing.tenant import make_workspace

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 2.0]),
    st.sampled_from(["", "a", "b", "ab", "1"]),
    st.lists(st.sampled_from(["a", 1, True]), max_size=2),
)  # fmt: skip
ITEMS = st.lists(st.dictionaries(st.sampled_from(["x", "y"]), VALUES), max_size=8)


@st.composite
def conditions(draw: Any) -> tuple[str, Any]:
    operator = draw(st.sampled_from(OPERATORS))
    match operator:
        case "exists":
            return operator, draw(st.booleans())
        case "in":
            return operator, draw(st.lists(VALUES.filter(lambda value: value is not None), min_size=1, max_size=2))
        case "contains":
            return operator, draw(st.sampled_from(["a", "", 1, True]))
        case "is" | "is_not":
            return operator, draw(VALUES.filter(lambda value: value is not None))
        case _:
            return operator, draw(st.sampled_from([0, 1, 0.5, "a", "1", ""]))


def same(left: Any, right: Any) -> bool:
    """JSON's equality: true is not 1."""
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def holds(value: Any, operator: str, wanted: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    match operator:
        case "exists":
            return (value is not None) == wanted
        case "is":
            return same(value, wanted)
        case "is_not":
            return not same(value, wanted)
        case "in":
            return any(same(value, each) for each in wanted)
        case "contains" if isinstance(value, str):
            return str(wanted) in value
        case "contains":
            return isinstance(value, list) and any(same(each, wanted) for each in value)
        case _ if isinstance(value, str) != isinstance(wanted, str) or not (is_number or isinstance(value, str)):
            return False
        case _:
            return {"gt": value > wanted, "gte": value >= wanted, "lt": value < wanted, "lte": value <= wanted}[
                operator
            ]


def rewrite(connection: psycopg.Connection[Any], workspace: int, items: list[dict[str, Any]]) -> None:
    connection.execute("DELETE FROM catalog_item")
    for number, item in enumerate(items):
        body = msgspec.json.encode({**item, "id": f"i{number}"}).decode()
        connection.execute("INSERT INTO catalog_item VALUES (%s, 'shop', %s, %s, 1)", [workspace, f"i{number}", body])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=ITEMS, where=st.dictionaries(st.sampled_from(["x", "y"]), conditions(), max_size=2))
def test_a_selection_names_what_its_conditions_say(
    connection: psycopg.Connection[Any], items: list[dict[str, Any]], where: dict[str, tuple[str, Any]]
) -> None:
    said = {field: {operator: value} for field, (operator, value) in where.items()}
    catalog = read({"selections": [{"name": "s", "where": said, "limit": 50}]})
    rewrite(connection, 1, items)
    found = connection.execute(*store.selected(1, "shop", catalog.selections[0])).fetchall()
    connection.rollback()
    expected = [
        f"i{number}" for number, item in enumerate(items)
        if all(holds(item.get(field), *condition) for field, condition in where.items())
    ]  # fmt: skip
    assert [row[0]["id"] for row in found] == expected


def test_a_selection_is_in_order_and_what_has_no_place_comes_last(connection: psycopg.Connection[Any]) -> None:
    rewrite(connection, 1, [{"p": 10}, {"p": 9}, {}, {"p": None}, {"p": 100}])

    def ids(**order: Any) -> list[str]:
        selection = Selection("s", sort=Sort("p", **order), limit=4)
        return [row[0]["id"] for row in connection.execute(*store.selected(1, "shop", selection)).fetchall()]

    assert ids() == ["i1", "i0", "i4", "i2"]
    assert ids(descending=True) == ["i4", "i0", "i1", "i2"]
    connection.rollback()


def test_items_of_another_workspace_are_not_found(connection: psycopg.Connection[Any]) -> None:
    one, other = make_workspace(connection), make_workspace(connection, "other")
    rewrite(connection, one, [{"x": 1}])
    assert len(connection.execute(*store.items_of(one, [("shop", "i0"), ("shop", "none")])).fetchall()) == 1
    assert connection.execute(*store.items_of(other, [("shop", "i0")])).fetchall() == []
    connection.rollback()

"""A program: what is shared, in which order rules are asked, and since when a leaf is kept."""

from __future__ import annotations

from typing import Any

import pytest

from kizuna.core.errors import KizunaError
from kizuna.engine.slice import Definition
from kizuna.segments.history import events_of
from kizuna.segments.program import check_references, compile_program
from kizuna.segments.rule import parse


def definition(
    name: str, where: Any, introduced: int = 1, retired: int | None = None, kind: str = "segment"
) -> Definition:
    return Definition(kind, name, 1, "active", {"where": where}, introduced, retired)


def test_equal_leaves_are_shared() -> None:
    visits = {"did": "Visit", "within": "7d"}
    program = compile_program(
        [
            definition("a", visits),
            definition("b", {"not": visits}),
            definition("c", {"did_not": "Visit", "within": "7d"}),
        ],
        1,
    )
    assert len(program.leaves) == 1
    assert next(iter(program.leaves.values())).ranks == (0, 1, 2)


def test_segments_stand_after_those_they_ask_for() -> None:
    program = compile_program(
        [definition("a", {"in_segment": "b"}), definition("b", {"in_segment": "c"}), definition("c", {"did": "X"})], 1
    )
    assert [tree.name for tree in program.trees] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ({"a": {"in_segment": "a"}}, "cycle"),
        ({"a": {"in_segment": "b"}, "b": {"not": {"in_segment": "c"}}, "c": {"any": [{"in_segment": "a"}]}}, "cycle"),
        ({"a": {"in_segment": "nobody"}}, "unknown_segment"),
    ],
)
def test_cycles_and_unknown_segments_are_refused(rules: dict[str, Any], code: str) -> None:
    with pytest.raises(KizunaError) as refused:
        check_references({name: parse(raw) for name, raw in rules.items()}, "a")
    assert refused.value.code == code


def test_asking_twice_by_two_ways_is_no_cycle() -> None:
    rules = {
        "a": {"all": [{"in_segment": "b"}, {"in_segment": "c"}]},
        "b": {"in_segment": "d"},
        "c": {"in_segment": "d"},
        "d": {"did": "X"},
    }
    check_references({name: parse(raw) for name, raw in rules.items()}, "a")


def test_a_leaf_is_as_old_as_its_unbroken_use() -> None:
    visits = {"did": "Visit"}
    versions = [definition("a", visits, 1, 3), definition("b", visits, 3), definition("c", {"did": "Else"}, 4)]
    assert [leaf.born for leaf in compile_program(versions, 4).leaves.values()] == [1, 4]
    broken = [definition("a", visits, 1, 2), definition("b", visits, 3)]
    assert [leaf.born for leaf in compile_program(broken, 3).leaves.values()] == [3]


def test_a_change_fills_only_the_leaves_that_are_new() -> None:
    visits, orders = {"did": "Visit", "within": "7d"}, {"sum": {"event": "Order", "property": "total"}, "gte": 10}
    clicks = {"did": "Click", "count": {"gte": 3}}
    versions = [
        definition("a", {"all": [visits, orders]}, 1, 4), definition("b", {"not": visits}, 2),
        definition("c", {"any": [orders, clicks]}, 3),
        definition("a", {"all": [visits, clicks, {"did": "New"}]}, 4),  # a new version: one part is new to all
        definition("d", {"all": [{**visits, "count": {"lt": 1}}, {**orders, "gte": 99}]}, 5),  # only other bounds
    ]  # fmt: skip
    filled = {
        version: sorted(events_of(compile_program(versions[:version], version).gained(version)))
        for version in range(1, 6)
    }
    assert filled == {1: ["Order", "Visit"], 2: [], 3: ["Click"], 4: ["New"], 5: []}


def test_a_later_program_does_not_show_in_an_earlier_one() -> None:
    versions = [definition("a", {"did": "Visit"}, 1, 2), definition("b", {"did": "Else"}, 2)]
    assert [tree.name for tree in compile_program(versions, 1).trees] == ["a"]
    assert [tree.name for tree in compile_program(versions, 2).trees] == ["b"]


def test_rules_of_guests_are_kept_too() -> None:
    journey = Definition("journey", "welcome", 1, "active", {}, 2, None)
    program = compile_program([journey], 2, [lambda each: [{"did": "Visit"}] if each.kind == "journey" else []])
    assert list(program.by_event) == ["Visit"]
    assert len(program.guests) == 1
    assert program.gained(2)

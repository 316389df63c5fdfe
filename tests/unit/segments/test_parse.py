"""A wrong rule is refused with every wrong place; a right one is the same however it was written."""

from __future__ import annotations

from typing import Any

import pytest

from kizuna.core.errors import Invalid
from kizuna.segments.parse import parse_props
from kizuna.segments.rule import Aggregate, parse, rule_key


def errors(raw: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        parse(raw)
    return [(error.pointer, error.code) for error in refused.value.errors]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"any": [{"did": "A", "within": "1x"}]}, [("/where/any/0/within", "invalid_duration")]),
        ({"did": "A", "count": {"gte": -1}}, [("/where/count/gte", "invalid_value")]),
        ({"did": "A", "count": {"about": 1}}, [("/where/count/about", "unknown_operator")]),
        ({"trait": "plan"}, [("/where", "no_operator")]),
        ({"trait": "plan", "is": None}, [("/where/is", "invalid_value")]),
        ({"trait": "plan", "resembles": 1, "is": 2}, [("/where/resembles", "unknown_field")]),
        ({"trait": "plan", "matches": "("}, [("/where/matches", "invalid_pattern")]),
        ({"trait": "plan", "gt": "much"}, [("/where/gt", "invalid_value")]),
        ({"trait": "plan", "between": [1, "2026-01-01"]}, [("/where/between", "invalid_value")]),
        ({"trait": "a..b", "is": 1}, [("/where/trait", "invalid_path")]),
        ({"did": "A", "did_not": "B"}, [("/where", "two_forms")]),
        ({"did": "A", "within": "1d", "between": ["2026-01-01", "2026-01-02"]}, [("/where", "two_windows")]),
        ({"model": "rfm.segment", "is": "champions"}, [("/where", "unknown_form")]),
        ({"not": {"not": "x"}}, [("/where/not/not", "not_a_rule")]),
        ({"consent": {"channel": "email"}, "is": "yes"}, [("/where/is", "invalid_value")]),
        ({"did": "A", "where": [{"property": "x/y", "a/b": 1}]},
         [("/where/where/0/a~1b", "unknown_field"), ("/where/where/0", "no_operator")]),
        ([], [("/where", "not_a_rule")]),
        (None, [("/where", "not_a_rule")]),
    ],
)  # fmt: skip
def test_each_wrong_place_is_named(raw: Any, expected: list[tuple[str, str]]) -> None:
    assert errors(raw) == expected


def test_all_wrong_places_are_named_at_once() -> None:
    found = errors({"all": [{"did": 1}, {"trait": "x", "in": 3}]})
    assert found == [("/where/all/0/did", "not_text"), ("/where/all/1/in", "invalid_value")]


def test_an_unknown_form_says_which_are_known() -> None:
    with pytest.raises(Invalid) as refused:
        parse({"didnt": "A"})
    assert "did_not" in refused.value.errors[0].message


def test_depth_and_size_are_bounded() -> None:
    deep: Any = {"did": "A"}
    for _ in range(40):
        deep = {"not": deep}
    wide = {"any": [{"did": f"E{n}"} for n in range(600)]}
    listed = {"trait": "id", "in": [str(n) for n in range(600)]}
    for raw in (deep, wide, listed):
        with pytest.raises(Invalid) as refused:
            parse(raw)
        assert refused.value.code == "too_costly"
        assert len(refused.value.errors) == 1


def test_engagement_is_a_number_of_messages_that_people_answered() -> None:
    about = {"channel": "email", "campaign": "spring"}
    found = parse({"opened": about, "within": "14d", "count": {"gte": 2}})
    assert isinstance(found, Aggregate)
    assert (found.function, found.event, found.path) == ("distinct", "message_opened", ("message",))
    assert [each.path[0] for each in found.where] == ["channel", "campaign", "actor"]
    assert parse({"received": {}}).event == "message_sent"  # type: ignore[union-attr]
    assert errors({"opened": {"chanel": "email"}}) == [("/where/opened/chanel", "unknown_field")]
    assert errors({"clicked": "email"}) == [("/where/clicked", "invalid_value")]
    assert errors({"replied": {}, "count": {"near": 1}}) == [("/where/count/near", "unknown_operator")]


@pytest.mark.parametrize(
    ("raw", "missing"),
    [
        ({"loyalty": {"tier": "gold"}}, "loyalty programme"),
        ({"points": {"gte": 500}}, "loyalty programme"),
        ({"model": "clv.predicted_12m", "gte": 10_000}, "scoring models"),
    ],
)
def test_what_a_later_programme_answers_is_refused_and_names_it(raw: Any, missing: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse({"any": [{"did": "A"}, raw]})
    [error] = refused.value.errors
    assert (refused.value.code, error.pointer, error.code) == ("invalid_rule", "/where/any/1", "unknown_form")
    assert missing in error.message


SUM = {"sum": {"event": "A", "property": "n"}, "gte": 1}


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        ({"any": [{"did": f"E{n}"} for n in range(101)]}, "/where/any/100"),
        ({"did": "A", "count": {"gte": 5_001}, "within": "1d"}, "/where"),
        ({"all": [{"did": "A", "count": {"gte": 3_000}, "within": f"{days}d"} for days in (1, 2)]}, "/where/all/1"),
        ({"distinct": {"event": "A", "property": "sku"}, "gte": 1_001}, "/where"),
        ({**SUM, "within": "11y"}, "/where/within"),
        ({"first": {"event": "A", "property": "n"}, "is": 1, "within": "3661d"}, "/where/within"),
        ({"sequence": [{"did": "A"}, {"did": "B"}], "within": "600w"}, "/where/within"),
    ],
)
def test_what_would_keep_too_much_is_refused_with_the_place(raw: Any, pointer: str) -> None:
    assert errors(raw) == [(pointer, "too_costly")]


@pytest.mark.parametrize(
    "raw",
    [
        {"any": [{"did": f"E{n}"} for n in range(100)]},
        {"did": "A", "count": {"gte": 10_000}},
        {"did": "A", "count": {"gte": 5_000}, "within": "1000y"},
        {"distinct": {"event": "A", "property": "sku"}, "gte": 1_000, "within": "1y"},
        {**SUM, "within": "3660d"},
        {"last": {"event": "A", "property": "n"}, "is": 1, "within": "100y"},
    ],
)
def test_what_is_just_affordable_is_taken(raw: Any) -> None:
    parse(raw)


def test_equal_rules_have_one_key() -> None:
    assert rule_key({"did": "A", "count": {"gte": 1, "lt": 5}}) == rule_key({"count": {"lt": 5, "gte": 1}, "did": "A"})
    assert rule_key({"did": "A"}) == rule_key({"did": "A", "count": {"gte": 1}})
    assert rule_key({"did": "A"}) != rule_key({"did": "B"})
    assert rule_key({"trait": "x", "is": 1}) != rule_key({"trait": "x", "is": "1"})


def test_conditions_on_properties_have_their_own_pointers() -> None:
    with pytest.raises(Invalid) as refused:
        parse_props([{"property": "x"}], "/entry/on/where")
    assert refused.value.errors[0].pointer == "/entry/on/where/0"

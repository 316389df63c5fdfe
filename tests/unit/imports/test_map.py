"""The map of an import."""

from __future__ import annotations

from typing import Any

import pytest

from kizuna.consent.subjects import Subjects
from kizuna.core.errors import Unprocessable
from kizuna.imports.map import parse

GOOD: dict[str, Any] = {"kind": "events", "columns": {"who": "userId"}, "constants": {"event": "A"}}


def test_a_small_map_is_enough() -> None:
    made = parse(GOOD)
    assert (made.kind, made.backfill, made.names()) == ("events", True, {"who"})
    assert parse({**GOOD, "backfill": False}).mark != made.mark


def test_the_order_in_which_it_is_written_makes_no_other_map() -> None:
    assert parse(dict(reversed(GOOD.items()))).mark == parse(GOOD).mark


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": "orders"}, "/kind"),
        ({"columns": {"a": "properties.x"}}, "/columns"),
        ({"constants": {}}, "/constants"),
        ({"columns": {"who": "userId", "x": "traits.plan"}}, "/columns/x"),
        ({"columns": {"who": "userId", "x": "properties."}}, "/columns/x"),
        ({"columns": {"who": "userId", "a": "properties.x", "b": "properties.x"}}, "/columns"),
        ({"columns": {"who": "userId", "a": "properties.x", "b": "properties.x.y"}}, "/columns"),
        ({"columns": {"who": {"to": "userId", "type": "int"}}}, "/columns/who/type"),
        ({"columns": {"who": "userId", "at": {"to": "timestamp", "zone": "Mars"}}}, "/columns/at/zone"),
        ({"encoding": "rot13"}, "/encoding"),
        ({"delimiter": '"'}, "/delimiter"),
        ({"delimiter": ";;"}, "/delimiter"),
        ({"consent": {"column": "c", "channel": "email", "states": {"yes": "in"}}}, "/consent/states/yes"),
        ({"consent": {"column": "c"}}, "/consent/channel"),
        ({"colums": {}}, "/colums"),
        ({"header": ["a", "a"]}, "/header"),
        ({"backfill": "yes"}, "/backfill"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        parse({**GOOD, **change})
    assert pointer in {each.pointer for each in refused.value.errors}


def test_a_channel_of_consent_is_one_of_those_there_are() -> None:
    misspelt = {**GOOD, "consent": {"column": "c", "channel": "emial"}}
    with pytest.raises(Unprocessable) as refused:
        parse(misspelt, Subjects(("email", "sms")))
    assert [(each.pointer, each.code) for each in refused.value.errors] == [("/consent/channel", "unknown_channel")]


@pytest.mark.parametrize("raw", [None, [], "x", {"columns": []}, {"constants": 1, "consent": [], "header": 1}])
def test_nonsense_is_refused(raw: Any) -> None:
    with pytest.raises(Unprocessable):
        parse(raw)

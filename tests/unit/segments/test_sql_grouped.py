"""Asked of all customers at once or of each by himself: the same answer."""

from __future__ import annotations

import random
from typing import Any

import duckdb
import pytest
from msgspec import json

from kizuna.segments import sql
from kizuna.segments.rule import parse

NOW, DAY = 1_767_225_600_000_000, 86_400_000_000
VALUES: list[Any] = [5, 2.5, "7", "x", None, True, [1, 2, 2], {"a": 1}, -3, 0, "0"]


@pytest.fixture(scope="module")
def history() -> Any:
    chance = random.Random(1)
    with duckdb.connect(":memory:") as connection:
        connection.execute("CREATE TABLE profiles (profile VARCHAR, traits VARCHAR, zone VARCHAR)")
        connection.execute("INSERT INTO profiles SELECT 'p' || i, '{}', NULL FROM range(60) t(i)")
        connection.execute(
            """CREATE TABLE events (profile VARCHAR, type VARCHAR, event VARCHAR, timestamp BIGINT, arrival BIGINT,
                                    properties VARCHAR)"""
        )
        rows = [
            [
                f"p{chance.randrange(40)}", chance.choice(["track", "track", "identify"]), chance.choice("ABC"),
                NOW - chance.randrange(-2, 12) * DAY, number,
                json.encode({"v": chance.choice(VALUES), "n": chance.randrange(5)}).decode(),
            ]
            for number in range(400)
        ]  # fmt: skip
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)
        yield connection


def a_test(chance: random.Random) -> dict[str, Any]:
    low = chance.randrange(-1, 4)
    op = chance.choice(["is", "is_not", "gt", "gte", "lt", "lte", "between"])
    return {op: [low, low + chance.randrange(3)] if op == "between" else low}


def a_rule(chance: random.Random, depth: int = 2) -> dict[str, Any]:
    event = chance.choice("AB")
    rest: dict[str, Any] = {"within": f"{chance.randrange(1, 9)}d"} if chance.random() < 0.5 else {}
    where = {"where": [{"property": "n", "gt": chance.randrange(4)}]} if chance.random() < 0.3 else {}
    match chance.randrange(6 if depth else 4):
        case 0:
            count = {chance.choice(["is", "gt", "gte", "lt", "lte"]): chance.randrange(4)}
            return {"did": event, "count": count, **where, **rest}
        case 1:
            return {"did_not": event, **where, **rest}
        case 2 | 3:
            path = chance.choice(["v", "v", "n", "v.*"])
            function = chance.choice(["sum", "avg", "min", "max", "distinct"])
            return {function: {"event": event, "property": path}, **a_test(chance), **rest}
        case 4:
            return {"not": a_rule(chance, depth - 1)}
        case _:
            return {chance.choice(["all", "all", "any"]): [a_rule(chance, depth - 1) for _ in range(3)]}


@pytest.mark.parametrize("seed", range(25))
def test_both_forms_find_the_same_profiles(history: Any, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = parse(a_rule(random.Random(seed)))

    def found() -> set[Any]:
        return set(history.execute(sql.compile_sql(rule, NOW, "UTC")).fetchall())

    at_once = found()
    monkeypatch.setattr(sql, "grouped_sql", lambda reading, nodes: None)
    monkeypatch.setattr(sql, "all_of", lambda reading, rules: [reading.rule(each) for each in rules])
    assert at_once == found()


def test_what_looks_at_the_same_events_reads_them_once() -> None:
    rule = {
        "all": [
            {"did": "A", "count": {"gte": 2}, "within": "9d"},
            {"sum": {"event": "A", "property": "v"}, "gte": 3, "within": "9d"},
        ]
    }
    assert sql.compile_sql(parse(rule), NOW, "UTC").count("FROM events") == 1


def test_what_depends_on_the_zone_is_asked_of_each_profile() -> None:
    rule = parse({"did": "A", "count": {"gte": 2}, "between": ["2025-12-20", "2025-12-30"]})
    assert "e.profile = p.profile" in sql.compile_sql(rule, NOW, "UTC", ["Asia/Tokyo"])
    assert "e.profile = p.profile" not in sql.compile_sql(rule, NOW, "UTC")

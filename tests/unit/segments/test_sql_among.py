"""Whether customers are found among the events or all are asked: the same answer, over the lake's own views."""

from __future__ import annotations

import random
from typing import Any

import duckdb
import pytest
from msgspec import json

from kizuna.runtime.lake import views
from kizuna.segments.rule import parse
from kizuna.segments.sql import Reading, asks_zones, compile_sql
from kizuna.segments.sql_among import narrowed
from kizuna.segments.sql_time import Zones

NOW, DAY = 1_767_225_600_000_000, 86_400_000_000
ZONES = ["Asia/Tokyo", "America/New_York"]
PEOPLE = [f"p{number:02d}" for number in range(40)]
UNKNOWN = PEOPLE[:5]  # events came, and no word on who they are
MERGED = {"p05": "p06", "p06": "p07", "p08": "p20", "p09": "p03", "p10": "p11", "p12": "p11"}  # p03 is unknown

DID = {"did": "A", "count": {"gte": 2}, "within": "9d"}
NEVER = {"did_not": "B"}
GOLD = {"trait": "plan", "is": "gold"}
MEMBER = {"in_segment": "vip"}


@pytest.fixture(scope="module")
def lake() -> Any:
    chance = random.Random(7)
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            """CREATE TABLE said (profile VARCHAR, partition INT, "offset" BIGINT, "index" INT, id VARCHAR,
               type VARCHAR, event VARCHAR, timestamp BIGINT, received_at BIGINT, logged_at BIGINT, properties VARCHAR,
               context VARCHAR, user_id VARCHAR, anonymous_id VARCHAR, caused_by VARCHAR, flags INT);
               CREATE TABLE changes (profile VARCHAR, merged_into VARCHAR, traits VARCHAR, zone VARCHAR, locale VARCHAR,
               user_id VARCHAR, timestamp BIGINT, logged_at BIGINT, partition INT, "offset" BIGINT, "index" INT)"""
        )
        connection.executemany("INSERT INTO said VALUES (?, 0, ?, 0, ?, ?, ?, ?, 0, ?, ?, '', '', '', '', 0)", [
            [
                chance.choice(PEOPLE), number, f"e{number}", chance.choice(["track", "track", "track", "identify"]),
                chance.choice("ABC"), NOW - chance.randrange(-2, 12) * DAY, NOW - 9 * DAY + number,
                json.encode({"n": chance.randrange(5), "v": [chance.randrange(3)]}).decode(),
            ]
            for number in range(300)
        ])  # fmt: skip
        known = [who for who in PEOPLE if who not in UNKNOWN]
        changes = [(chance.choice(known), None) for _ in range(80)] + [(who, None) for who in known]
        changes += list(MERGED.items())
        connection.executemany("INSERT INTO changes VALUES (?, ?, ?, ?, '', '', 0, ?, 0, ?, 0)", [
            [
                who, into, None if into else json.encode({"plan": chance.choice(["gold", "free"])}).decode(),
                None if into else chance.choice([None, *ZONES]), NOW - 20 * DAY + number, number,
            ]
            for number, (who, into) in enumerate(changes)
        ])  # fmt: skip
        connection.execute(f"CREATE TABLE identity AS {views.IDENTITY}")
        connection.execute(f"CREATE VIEW events AS {views.events(merged=True)}")
        connection.execute(f"CREATE VIEW profiles AS {views.some_profiles()}")
        connection.execute("CREATE TABLE memberships (profile VARCHAR, segment VARCHAR)")
        members = [[who, name] for who in PEOPLE for name in ("vip", "new") if chance.random() < 0.3]
        connection.executemany("INSERT INTO memberships VALUES (?, ?)", members)
        yield connection


def asked_of_all(lake: Any, raw: Any, now: int = NOW) -> set[str]:
    """The rule asked of every profile, as one condition."""
    condition = Reading(now, Zones("UTC", ZONES)).rule(parse(raw))
    return {who for (who,) in lake.execute(f"SELECT p.profile FROM profiles p WHERE {condition}").fetchall()}


def agrees(lake: Any, raw: Any, now: int = NOW) -> set[str]:
    """That both find the same, each once; who that is."""
    found = asked_of_all(lake, raw, now)
    for sql in (
        compile_sql(parse(raw), now, "UTC", ZONES, views.some_profiles),
        compile_sql(parse(raw), now, "UTC", ZONES),
    ):
        rows = [who for (who,) in lake.execute(sql).fetchall()]
        assert sorted(rows) == sorted(found), raw
    return found


def is_narrowed(raw: Any) -> bool:
    return narrowed(Reading(NOW, Zones("UTC", ZONES)), parse(raw)) is not None


def a_rule(chance: random.Random, depth: int = 2) -> dict[str, Any]:
    event = chance.choice("AB")
    window: dict[str, Any] = chance.choice([{}, {"within": f"{chance.randrange(1, 9)}d"}, {"within": "1mo"}])
    match chance.randrange(12 if depth else 8):
        case 0 | 1:
            count = {chance.choice(["is", "gt", "gte", "lt", "lte"]): chance.randrange(4)}
            return {"did": event, "count": count, **window}
        case 2:
            return {"did_not": event, **window}
        case 3:
            path, function = chance.choice(["n", "v.*"]), chance.choice(["sum", "avg", "min", "max", "distinct"])
            said = {"event": event, "property": path}
            return {function: said, chance.choice(["gte", "lt"]): chance.randrange(1, 5), **window}
        case 4:
            return {chance.choice(["last", "first"]): {"event": event, "property": "n"}, "gt": chance.randrange(4)}
        case 5:
            return chance.choice([GOLD, {"trait": "plan", "exists": False}])
        case 6:
            return {"in_segment": chance.choice(["vip", "new"])}
        case 7:
            return {"sequence": [{"did": "A"}, {"did": "B", "within": "3d"}]}
        case 8:
            return {"not": a_rule(chance, depth - 1)}
        case _:
            inner = [a_rule(chance, depth - 1) for _ in range(chance.randrange(4))]
            return {chance.choice(["all", "all", "any"]): inner}


@pytest.mark.parametrize("seed", range(60))
def test_who_is_asked_does_not_change_the_answer(lake: Any, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(4):
        agrees(lake, a_rule(chance), NOW - chance.randrange(3) * DAY)


def test_whoever_was_merged_away_is_found_as_whom_they_are_now(lake: Any) -> None:
    found = agrees(lake, {"did": "A"})
    assert found
    assert not found & set(MERGED)
    assert {"p07", "p11", "p20"} & found


def test_events_of_nobody_known_find_nobody(lake: Any) -> None:
    there = {who for (who,) in lake.execute("SELECT DISTINCT profile FROM events WHERE event = 'A'").fetchall()}
    assert there & set(UNKNOWN)
    assert not agrees(lake, {"did": "A"}) & set(UNKNOWN)


def test_members_are_found_by_their_segment_and_must_be_known(lake: Any) -> None:
    assert is_narrowed(MEMBER)
    assert not agrees(lake, MEMBER) & {*UNKNOWN, *MERGED}
    assert agrees(lake, {"all": [MEMBER, NEVER]}) < agrees(lake, MEMBER)


@pytest.mark.parametrize("rule", [{"all": [NEVER, DID]}, {"all": [{"not": DID}, {"did": "C"}, GOLD]}])
def test_what_must_not_be_is_asked_of_those_found(lake: Any, rule: Any) -> None:
    assert is_narrowed(rule)
    assert agrees(lake, rule)


def test_a_choice_that_looks_at_a_record_is_asked_of_all(lake: Any) -> None:
    rule = {"any": [DID, {"all": [{"did": "B"}, GOLD]}]}
    assert not is_narrowed(rule)
    assert agrees(lake, DID) < agrees(lake, rule) < agrees(lake, {"any": [DID, {"did": "B"}]})


@pytest.mark.parametrize(
    "rule", [NEVER, {"not": DID}, {"any": [DID, NEVER]}, {"any": [DID, {"not": MEMBER}]}, {"any": [DID, GOLD]}, GOLD]
)
def test_all_are_asked_where_it_may_hold_of_anybody(lake: Any, rule: Any) -> None:
    assert not is_narrowed(rule)
    assert agrees(lake, rule)


def test_one_of_several_is_found_once(lake: Any) -> None:
    rule = {"any": [DID, {"all": [{"did": "B"}, {"not": MEMBER}]}, {"did": "A"}]}
    assert is_narrowed(rule)
    assert len(agrees(lake, rule)) > len(agrees(lake, DID))


def test_of_an_empty_rule_all_pass_and_of_no_choice_none(lake: Any) -> None:
    assert not is_narrowed({"all": []})
    assert not is_narrowed({"any": []})
    assert agrees(lake, {"all": []}) == set(PEOPLE) - set(UNKNOWN) - set(MERGED)
    assert agrees(lake, {"any": []}) == set()


def test_the_answer_is_of_the_instant_asked_for(lake: Any) -> None:
    rule = {"all": [{"did": "A", "within": "3d"}, GOLD]}
    assert len({frozenset(agrees(lake, rule, NOW - days * DAY)) for days in range(4)}) > 1


@pytest.mark.parametrize("text", ["p.", "p.traits", "x p.zone", "p.profile"])
def test_text_that_looks_like_sql_changes_nothing(lake: Any, text: str) -> None:
    agrees(lake, {"all": [{"did": "A"}, {"not": {"did": text}}, {"not": {"in_segment": text}}]})


def test_zones_are_asked_for_only_where_local_time_decides() -> None:
    def asks(raw: Any) -> bool:
        return asks_zones(parse(raw), NOW)

    assert not asks({"all": [DID, GOLD, NEVER]})
    assert asks({"did": "A", "within": "1mo"})
    assert asks({"all": [DID, {"not": {"did": "A", "between": ["2025-12-20", "2025-12-30"]}}]})
    assert asks({"did": "A", "where": [{"property": "due", "before": "2026-01-01"}]})
    assert asks({"trait": "birthday", "anniversary": {"within_next": "7d"}})

"""The Arrow tables of log rows, held against plain Python over the same items."""

from __future__ import annotations

import random
from typing import Any

import pytest
from msgspec import json, msgpack

from kizuna.core import clock, ids
from kizuna.runtime.lake import columns
from kizuna.runtime.lake.columns import Columns
from kizuna.runtime.lake.said import INTERNAL, LogRow, Said
from kizuna.runtime.lake.schemas import EVENTS, PROFILES

START = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


def person(number: int) -> bytes:
    return ids.profile_id(1, "user", f"p{number}")


def fact(who: int, name: str, **properties: Any) -> Said:
    return Said(person(who), f"f {name} {who}", "fact", name, START, json.encode(properties))


def row(*items: Said, offset: int = 1, duplicates: tuple[int, ...] = ()) -> LogRow:
    return LogRow(3, offset, START + offset, msgpack.encode(items), duplicates)


def events_of(rows: list[LogRow]) -> list[dict[str, Any]]:
    return listed(Columns.of(rows).events)


def listed(found: Any) -> list[dict[str, Any]]:
    values = [found.column(name).to_pylist() for name in found.schema.names]
    return [dict(zip(found.schema.names, row, strict=True)) for row in zip(*values, strict=True)]


def an_item(chance: random.Random, number: int) -> Said:
    who = chance.randrange(40)
    match chance.randrange(8):
        case 0:
            return fact(who, "profile_updated", traits={"n": number}, user_id=f"p{who}", zone=None)
        case 1:
            return fact(who, "profile_merged", **{"from": ids.show("prf", person(number))})
        case 2:
            return Said(person(who), f"i{number}", chance.choice(sorted(INTERNAL)))
        case _:
            at = chance.choice([START, START + number, -5, 1 << 62, START - 40 * clock.DAY])
            text = json.encode({"名前": "絆", "n": number}) if number % 3 else b""
            user = chance.choice(["", f"p{who}"])
            return Said(
                person(who), f"e{number}", "track", "見た", at, text, b"{}", user, received_at=9, flags=number % 4
            )


def plainly(rows: list[LogRow]) -> list[dict[str, Any]]:
    """What the events should be, one item at a time."""
    told: list[tuple[Any, dict[str, Any]]] = []
    for each in rows:
        for index, item in enumerate(msgpack.decode(each.body, type=list[Said])):
            if item.type in INTERNAL or index in each.duplicates or item.name == "profile_updated":
                continue
            day = min(max(item.timestamp, clock.read_time("2000-01-01") or 0), clock.read_time("2050-12-31") or 0)
            told.append(
                (
                    (item.profile, item.timestamp, each.at, each.offset, index),
                    {
                        "profile": ids.show("prf", item.profile),
                        "partition": each.partition,
                        "offset": each.offset,
                        "index": index,
                        "id": item.id,
                        "type": item.type,
                        "event": item.name,
                        "timestamp": item.timestamp,
                        "received_at": item.received_at,
                        "logged_at": each.at,
                        "properties": (item.properties or b"{}").decode(),
                        "context": item.context.decode() or None,
                        "user_id": item.user_id or None,
                        "anonymous_id": item.anonymous_id or None,
                        "caused_by": item.caused_by or None,
                        "flags": item.flags,
                        "month": clock.to_datetime(day).strftime("%Y-%m"),
                    },
                )
            )
    return [shown for _, shown in sorted(told, key=lambda each: each[0])]


@pytest.mark.parametrize("seed", range(6))
def test_events_are_what_the_items_say_in_the_order_of_profile_and_time(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "PIECE", 37)
    chance = random.Random(seed)
    rows: list[LogRow] = []
    for offset in range(1, 80):
        items = [an_item(chance, 100 * offset + n) for n in range(chance.randrange(1, 9))]
        rows.append(
            row(*items, offset=offset, duplicates=tuple({chance.randrange(len(items)) for _ in range(offset % 2)}))
        )
    chance.shuffle(rows)  # the database promises no order
    assert events_of(rows) == plainly(rows)


def test_changes_are_what_is_known_of_a_profile() -> None:
    rows = [
        row(
            fact(1, "profile_updated", traits={"名": "絆"}, user_id="p1", zone="Asia/Tokyo", locale=""),
            fact(2, "profile_merged", **{"from": "prf_x"}),
            Said(person(3), "e", "track", "profile_updated", START),
            fact(4, "profile_updated", user_id=7),
            fact(5, "profile_updated", traits={}),
            duplicates=(4,),
        )
    ]
    found = listed(Columns.of(rows).changes)
    assert [list(each.values())[:6] for each in found] == [
        [ids.show("prf", person(1)), None, '{"名":"絆"}', "Asia/Tokyo", None, "p1"],
        ["prf_x", ids.show("prf", person(2)), None, None, None, None],
        [ids.show("prf", person(4)), None, "{}", None, None, None],
    ]
    assert [(each["timestamp"], each["logged_at"], each["offset"], each["index"]) for each in found] == [
        (START, START + 1, 1, index) for index in (0, 1, 3)
    ]
    assert [each["event"] for each in events_of(rows)].count("profile_merged") == 1


def test_rows_of_another_version_may_have_fewer_or_more_fields() -> None:
    whole = list(msgpack.decode(msgpack.encode(Said(person(1), "e1", "track", "Seen", START))))
    bodies = [msgpack.encode([whole[:5]]), msgpack.encode([[*whole, "new"]]), msgpack.encode([whole])]
    found = events_of([LogRow(1, offset, START, body) for offset, body in enumerate(bodies)])
    assert [(each["id"], each["event"], each["properties"]) for each in found] == [("e1", "Seen", "{}")] * 3


def test_no_rows_are_two_empty_tables() -> None:
    found = Columns.of([])
    assert (found.count, found.events.schema, found.changes.schema) == (0, EVENTS, PROFILES)


def test_rows_of_which_nothing_is_kept_are_two_empty_tables() -> None:
    found = Columns.of(
        [row(Said(person(1), "t", "tick")), row(Said(person(1), "e", "track"), offset=2, duplicates=(0,))]
    )
    assert found.count == 0

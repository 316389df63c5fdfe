"""Rows of membership by the real engine equal the SQL reading of the real lake: with duplicates, joins and fills.

A round is a seed: `pytest "tests/store/test_segment_readings.py::test_rows_equal_the_second_reading[1]"` replays one.
"""

from __future__ import annotations

import asyncio
import json
from itertools import groupby
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kizuna.accounts import store as accounts
from kizuna.config import load
from kizuna.core import clock, exact_json, ids
from kizuna.engine.append import TICK, Row, append_rows
from kizuna.engine.moment import Item
from kizuna.engine.program import Programs
from kizuna.events.publish import publish
from kizuna.folds import FOLDS, new_engine
from kizuna.runtime.doctor import Patient, check, questions
from kizuna.runtime.lake.query import Lake
from kizuna.segments.audit import question
from kizuna.segments.fill.run import run_next
from kizuna.segments.rule import parse
from kizuna.segments.sql import compile_sql
from kizuna.testing.rules import Draw, Happening
from kizuna.testing.tenant import PARTITIONS, append, make_workspace

RULES = 24
USERS = [f"u{number}" for number in range(10)]
ANONYMOUS = [f"a{number}" for number in range(6)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rows_equal_the_second_reading(database_url: str, connection: Any, tmp_path: Path, seed: int) -> None:
    shop = Shop(database_url, connection, tmp_path, seed)
    early, late = list(shop.rules.items())[: RULES // 2], list(shop.rules.items())[RULES // 2 :]
    shop.publish(early)
    half = len(shop.items) // 2
    shop.say(shop.items[:half])
    shop.agree(dict(early))
    shop.publish(late)
    shop.fill()
    shop.agree(shop.rules)
    shop.say(shop.items[half:])
    shop.agree(shop.rules)
    for instant in shop.draw.edges(shop.history, 3):
        if instant > shop.now:
            shop.move(instant)
            shop.agree(shop.rules)
    asked = [question(), *(each for each in questions() if each.name.startswith(("memberships_", "records_")))]
    assert {each.name: check(Patient(connection), each).message for each in asked} == dict.fromkeys(
        [each.name for each in asked], "none"
    )
    assert len(asked) == 4


class Shop:
    """A workspace in UTC whose customers follow a drawn history; some are anonymous at first, much is said twice."""

    def __init__(self, url: str, connection: psycopg.Connection[Any], data: Path, seed: int) -> None:
        self.url, self.connection, self.seed = url, connection, seed
        self.draw = draw = Draw(seed)
        self.rules = draw.rules(RULES)
        self.now = draw.start - clock.DAY
        self.workspace = make_workspace(connection, now=self.now)
        self.lake = Lake(load(data=data))
        people = [*USERS, *(f"~{name}" for name in ANONYMOUS)]
        self.history = draw.history(people, 5)
        self.items: list[tuple[int, Item]] = []
        for who in people:  # at different hours, so that joined members entered at different times
            at = self.now + draw.chance.randrange(24) * clock.HOUR
            self.items.append((at, self.item(f"first {who}", Happening(who, at, at, "identify", "", {}))))
        for number, each in enumerate(self.history):
            if each.type == "consent" and each.who.startswith("~"):
                continue  # which of two choices a join keeps is the consent slice's affair
            self.items.append((each.said_at, self.item(f"m{number}", each)))
        for name in ANONYMOUS:
            self.items.append((draw.start + draw.chance.randrange(5 * 24) * clock.HOUR, self.join(name)))
        again = [pair for pair in self.items if draw.is_likely(0.3)]
        self.items += [(said_at + draw.chance.randrange(40) * clock.HOUR, item) for said_at, item in again]
        self.items.sort(key=lambda pair: pair[0])

    def item(self, name: str, each: Any) -> Item:
        user, anon = ("", each.who[1:]) if each.who.startswith("~") else (each.who, "")
        profile = ids.profile_id(self.workspace, "user" if user else "anon", user or anon)
        body = exact_json.encode(each.body)
        return Item(profile, name, each.type, each.name, each.timestamp, body, b"", user, anon, each.said_at)

    def join(self, anonymous: str) -> Item:
        user = self.draw.one(USERS)
        profile = ids.profile_id(self.workspace, "user", user)
        return Item(
            profile, f"join {anonymous}", "identify", "", self.draw.start, b"{}", b"", user, anonymous, self.now
        )

    def say(self, items: list[tuple[int, Item]]) -> None:
        for said_at, group in groupby(items, key=lambda pair: pair[0]):
            self.move(said_at)
            append(self.connection, self.workspace, [item for _, item in group])
            self.fold()

    def move(self, instant: int) -> None:
        """The test clock, as `POST /api/v1/clock` moves it."""
        self.now = max(self.now, instant)
        self.connection.execute("UPDATE workspace SET now = %s WHERE id = %s", [self.now, self.workspace])
        ticks = [Row(partition, TICK, 0, b"", b"") for partition in range(PARTITIONS)]
        for statement in append_rows(self.workspace, ticks):
            self.connection.execute(*statement)
        self.connection.commit()
        self.fold()

    def fold(self) -> None:
        engine = new_engine(self.connection)
        engine.own(self.connection, range(PARTITIONS))
        while engine.run(self.connection):
            pass

    def publish(self, rules: list[tuple[str, Any]]) -> None:
        async def run() -> None:
            async with await psycopg.AsyncConnection.connect(self.url) as conn:
                workspace = await accounts.workspace_named(conn, "shop")
                assert workspace
                for name, where in rules:
                    await publish(conn, workspace, "segment", name, {"where": json.loads(exact_json.encode(where))})

        asyncio.run(run())
        self.fold()

    def fill(self) -> None:
        while run_next(self.connection, self.lake, Programs(FOLDS, PARTITIONS)):
            pass
        self.fold()

    def agree(self, rules: dict[str, Any]) -> None:
        rows = self.connection.execute("SELECT segment, profile FROM membership").fetchall()
        by_fold = {(name, ids.show("prf", bytes(profile))) for name, profile in rows}
        self.connection.commit()
        asked = [
            f"SELECT '{name}', profile FROM ({compile_sql(parse(raw), self.now, 'UTC')})" for name, raw in rules.items()
        ]
        by_sql = set(self.lake.query_sync(self.connection, self.workspace, " UNION ALL ".join(asked)))
        self.connection.commit()
        wrong = [(name, who, (name, who) in by_fold, rules[name]) for name, who in sorted(by_fold ^ by_sql)]
        assert not wrong, f"seed {self.seed} at {clock.show(self.now)}: {wrong[:3]}"

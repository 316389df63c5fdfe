"""A preview over files and tail: who is found among the events, and what is shown of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec import json

from kizuna.accounts import workspaces
from kizuna.core import ids
from kizuna.core.clock import HOUR
from kizuna.engine.moment import Item
from kizuna.runtime.archiver import Archiver
from kizuna.runtime.database import Database, connect
from kizuna.runtime.lake.query import Lake
from kizuna.segments.preview import SAMPLE, preview
from kizuna.segments.rule import parse

from .lake_builder import START, History, Place

BOUGHT = {"did": "Bought", "count": {"gte": 2}}


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Any:
    with connect(database_url, autocommit=True) as connection:
        yield Shop(database_url, History(connection), Place(tmp_path))


class Shop:
    """A workspace whose clock stands an hour after its beginning."""

    def __init__(self, url: str, history: History, place: Place) -> None:
        self.url, self.history = url, history
        self.lake = Lake(place)
        self.archiver = Archiver(place, history.connection)
        self.names: dict[str, str] = {}
        self.at(HOUR)

    def at(self, after: int) -> None:
        self.history.connection.execute("UPDATE workspace SET now = %s", [START + after])

    def known(self, *people: str, **traits: Any) -> None:
        for who in people:
            said = {"traits": {"name": who, **traits}, "user_id": who, "zone": traits.get("zone")}
            self.history.fact(self.person(who), "profile_updated", START, **said)

    def did(self, who: str, event: str, times: int = 1, after: int = 0) -> None:
        said = [
            Item(self.person(who), f"{event} {who} {after} {number}", "track", event, START + after)
            for number in range(times)
        ]
        self.history.say(said)

    def joined(self, who: str, into: str) -> None:
        shown = ids.show("prf", self.person(who))
        self.history.fact(self.person(into), "profile_merged", START, **{"from": shown})

    def person(self, who: str) -> bytes:
        profile = ids.profile_id(1, "user", who)
        self.names[ids.show("prf", profile)] = who
        return profile

    def ask(self, where: Any) -> dict[str, Any]:
        async def run() -> dict[str, Any]:
            database = Database(self.url)
            await database.open()
            try:
                workspace = await workspaces.find(database, "shop")
                return await preview(self.lake, database, workspace, parse(where))
            finally:
                await database.close()

        return asyncio.run(run())

    def found(self, where: Any) -> list[str]:
        told = self.ask(where)
        assert told["count"] == len(told["sample"])
        assert [json.decode(each["traits"])["name"] for each in told["sample"]] == [
            self.names[each["id"]] for each in told["sample"]
        ]
        return sorted(self.names[each["id"]] for each in told["sample"])


def test_events_of_files_and_tail_are_counted_together(shop: Shop) -> None:
    shop.known("ada", "bob")
    shop.did("ada", "Bought", after=1)
    shop.archiver.turn()
    assert shop.found(BOUGHT) == []
    shop.did("ada", "Bought", after=2)
    shop.did("bob", "Bought")
    assert shop.found(BOUGHT) == ["ada"]
    shop.archiver.turn()
    assert shop.found(BOUGHT) == ["ada"]


def test_what_was_done_before_a_merge_counts_for_whom_they_are_now(shop: Shop) -> None:
    shop.known("anon", "mid", "ada")
    for who in ("anon", "ada"):
        shop.did(who, "Bought")
    shop.joined("anon", "mid")
    assert shop.found(BOUGHT) == []
    assert shop.found({"did": "Bought"}) == ["ada", "mid"]
    shop.archiver.turn()
    shop.joined("mid", "ada")
    assert shop.found(BOUGHT) == ["ada"]
    assert shop.found({"did": "Bought"}) == ["ada"]


def test_who_is_not_known_is_not_found(shop: Shop) -> None:
    shop.known("ada")
    shop.did("ada", "Bought", 2)
    shop.did("nobody", "Bought", 2)
    shop.archiver.turn()
    assert shop.found(BOUGHT) == ["ada"]
    shop.joined("ada", "nobody")  # the record they were is gone, and the one they are was never told of
    assert shop.found(BOUGHT) == []


def test_traits_are_the_last_word_and_decide_with_events(shop: Shop) -> None:
    shop.known("ada", plan="gold")
    shop.known("bob", plan="free")
    shop.archiver.turn()
    for who in ("ada", "bob"):
        shop.did(who, "Bought", 2)
    gold = {"all": [BOUGHT, {"trait": "plan", "is": "gold"}]}
    assert shop.found(gold) == ["ada"]
    shop.known("bob", plan="gold")
    assert shop.found(gold) == ["ada", "bob"]


def test_what_must_not_be_takes_away_or_opens_to_all(shop: Shop) -> None:
    shop.known("ada", "bob", "cy")
    for who in ("ada", "bob"):
        shop.did(who, "Bought", 2)
    shop.did("bob", "Left")
    shop.archiver.turn()
    stayed = {"did_not": "Left"}
    assert shop.found({"all": [stayed, BOUGHT]}) == ["ada"]
    assert shop.found({"any": [BOUGHT, stayed]}) == ["ada", "bob", "cy"]
    assert shop.found({"all": []}) == ["ada", "bob", "cy"]
    assert shop.found({"any": []}) == []


def test_members_of_another_segment_are_looked_up(shop: Shop) -> None:
    shop.known("ada", "bob")
    for who in ("ada", "bob", "nobody"):
        shop.history.fact(shop.person(who), "segment_entered", START, segment="vip", version=1)
    shop.did("bob", "Left")
    assert shop.found({"in_segment": "vip"}) == ["ada", "bob"]
    assert shop.found({"all": [{"in_segment": "vip"}, {"did_not": "Left"}]}) == ["ada"]
    shop.joined("bob", "ada")
    assert shop.found({"in_segment": "vip"}) == ["ada"]


def test_the_clock_and_the_zone_of_each_decide(shop: Shop) -> None:
    shop.known("ada", zone="Asia/Tokyo")
    shop.known("bob", zone="America/New_York")
    for who in ("ada", "bob"):
        shop.did(who, "Bought", after=HOUR)
    recent, january = {"did": "Bought", "within": "2h"}, {"did": "Bought", "between": ["2026-01-01", "2026-02-01"]}
    assert shop.found(recent) == ["ada", "bob"]
    assert shop.found(january) == ["ada"]
    shop.at(3 * HOUR)
    assert shop.found(recent) == []
    shop.at(0)
    assert shop.found(january) == []


def test_some_are_shown_and_all_are_counted(shop: Shop) -> None:
    people = [f"p{number}" for number in range(SAMPLE + 5)]
    shop.known(*people)
    for who in people:
        shop.did(who, "Bought", 2)
    told = shop.ask(BOUGHT)
    assert told["count"] == SAMPLE + 5
    assert [each["id"] for each in told["sample"]] == sorted(shop.names)[:SAMPLE]

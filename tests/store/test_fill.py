"""A publish that falls between two partitions' words to each other: what was kept back meanwhile counts once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kizuna.config import load
from kizuna.core import clock, ids
from kizuna.engine.engine import Engine
from kizuna.engine.moment import Item
from kizuna.engine.program import Programs
from kizuna.events.publish import publish
from kizuna.folds import FOLDS, new_engine
from kizuna.runtime.lake.query import Lake
from kizuna.segments.fill.run import run_next
from kizuna.testing.tenant import PARTITIONS, an_item, append, make_workspace

NOW = 20_000 * clock.DAY
RULES: dict[str, Any] = {
    "once": {"did": "Viewed", "count": {"is": 1}},
    "seven": {"sum": {"event": "Viewed", "property": "n"}, "is": 7},
}


class Stage:
    """A workspace whose partitions are folded only when told."""

    def __init__(self, url: str, connection: psycopg.Connection[Any], data: Path) -> None:
        self.url = url
        self.connection = connection
        self.workspace = make_workspace(connection, now=NOW)
        self.lake = Lake(load(data=data))
        self.number = 0

    def partition(self, *, user: str = "", anon: str = "") -> int:
        kind = "user" if user else "anon"
        return ids.partition_of(ids.profile_id(self.workspace, kind, user or anon), PARTITIONS)

    def say(self, kind: str = "track", *, user: str = "", anon: str = "", at: int = NOW, n: int = 7) -> None:
        self.number += 1
        item: Item = an_item(
            self.workspace, f"m{self.number}", user=user, anon="" if user else anon, kind=kind, name="Viewed", at=at,
            properties={"n": n} if kind == "track" else {},
        )  # fmt: skip
        if user and anon:
            item = Item(item.profile, item.id, kind, "", at, b"{}", b"", user, anon, at)
        append(self.connection, self.workspace, [item])

    def fold(self, *partitions: int) -> None:
        engine: Engine = new_engine(self.connection)
        engine.own(self.connection, partitions or range(PARTITIONS))
        while engine.run(self.connection):
            pass

    def publish(self) -> None:
        async def run() -> None:
            from kizuna.accounts import store

            async with await psycopg.AsyncConnection.connect(self.url) as conn:
                workspace = await store.workspace_named(conn, "shop")
                assert workspace
                for name, where in RULES.items():
                    await publish(conn, workspace, "segment", name, {"where": where})

        asyncio.run(run())

    def fill(self) -> None:
        while run_next(self.connection, self.lake, Programs(FOLDS, PARTITIONS)):
            pass
        self.fold()

    def members(self) -> set[tuple[str, bytes]]:
        rows = self.connection.execute("SELECT segment, profile FROM membership").fetchall()
        self.connection.commit()
        return {(segment, bytes(profile)) for segment, profile in rows}

    def ada_is_in_all(self) -> None:
        assert self.members() == {(name, ids.profile_id(self.workspace, "user", "ada")) for name in RULES}


@pytest.fixture
def stage(database_url: str, connection: psycopg.Connection[Any], tmp_path: Path) -> Stage:
    return Stage(database_url, connection, tmp_path)


def an_anonymous_elsewhere(stage: Stage) -> str:
    """An anonymous id whose partition is not ada's."""
    return next(name for name in ("a1", "a2", "a3", "a4") if stage.partition(anon=name) != stage.partition(user="ada"))


Story = Callable[[Stage, str], None]


def parked_by_one_who_was_there(stage: Stage, anon: str) -> None:
    stage.say("identify", user="ada")
    stage.fold()
    parked_by_one_who_is_new(stage, anon)


def parked_by_one_who_is_new(stage: Stage, anon: str) -> None:
    stage.say("identify", user="ada", anon=anon)
    stage.say(user="ada")
    stage.fold(stage.partition(user="ada"))


def parked_behind_an_anonymous_history(stage: Stage, anon: str) -> None:
    stage.say(anon=anon)
    stage.fold()
    stage.say("identify", user="ada", anon=anon)
    stage.fold(stage.partition(user="ada"))


def on_its_way_to_one_who_asked(stage: Stage, anon: str) -> None:
    stage.say("identify", user="ada", anon=anon)
    stage.fold(stage.partition(user="ada"))
    stage.fold(stage.partition(anon=anon))
    stage.say(anon=anon)


def on_its_way_from_one_who_was_there(stage: Stage, anon: str) -> None:
    stage.say("identify", anon=anon)
    stage.say("identify", user="ada")
    stage.fold()
    on_its_way_to_one_who_asked(stage, anon)


def on_its_way_after_the_join(stage: Stage, anon: str) -> None:
    stage.say("identify", user="ada", anon=anon)
    stage.fold()
    stage.say(anon=anon)


def answered_after_the_publish(stage: Stage, anon: str) -> None:
    stage.say(anon=anon)
    stage.fold()
    stage.say("identify", user="ada", anon=anon)
    stage.fold(stage.partition(user="ada"))


def parked_and_dated_ahead(stage: Stage, anon: str) -> None:
    stage.say("identify", user="ada", anon=anon)
    stage.say(user="ada", at=NOW + clock.HOUR)
    stage.fold(stage.partition(user="ada"))


def dated_at_the_very_instant(stage: Stage, anon: str) -> None:
    stage.say("identify", user="ada")
    stage.say(user="ada", at=NOW + clock.HOUR)
    stage.fold()
    stage.connection.execute("UPDATE workspace SET now = %s", [NOW + clock.HOUR])
    stage.connection.commit()


def new_and_dated_at_the_very_instant(stage: Stage, anon: str) -> None:
    stage.say(user="ada", at=NOW + clock.HOUR)
    stage.fold()
    stage.connection.execute("UPDATE workspace SET now = %s", [NOW + clock.HOUR])
    stage.connection.commit()


@pytest.mark.parametrize(
    "story",
    [
        parked_by_one_who_was_there, parked_by_one_who_is_new, parked_behind_an_anonymous_history,
        on_its_way_to_one_who_asked, on_its_way_from_one_who_was_there, on_its_way_after_the_join,
        answered_after_the_publish, parked_and_dated_ahead, dated_at_the_very_instant,
        new_and_dated_at_the_very_instant,
    ],
)  # fmt: skip
def test_what_was_kept_back_over_a_publish_counts_once(stage: Stage, story: Story) -> None:
    story(stage, an_anonymous_elsewhere(stage))
    stage.publish()
    stage.fold()
    stage.connection.execute("UPDATE workspace SET now = %s", [NOW + clock.DAY])
    stage.say("identify", user="ada", at=NOW + clock.DAY)
    stage.fold()
    stage.fill()
    stage.ada_is_in_all()


@pytest.mark.parametrize("story", [parked_by_one_who_is_new, on_its_way_to_one_who_asked, on_its_way_after_the_join])
def test_the_fill_may_also_come_first(stage: Stage, story: Story) -> None:
    anon = an_anonymous_elsewhere(stage)
    story(stage, anon)
    stage.publish()
    stage.fill()
    stage.fold()
    stage.fill()
    stage.ada_is_in_all()

"""Pieces of a feed on real PostgreSQL: whoever else tells it or rewinds it meanwhile, nothing is left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import psycopg
import pytest
from msgspec import Struct

from kizuna.config import Config
from kizuna.feeds import Later, Piece, Place, Taken
from kizuna.feeds.feed import Feed
from kizuna.feeds.follow import Follower, Route
from kizuna.feeds.run import Tellers
from kizuna.providers.http import Outside
from kizuna.testing.mail import put_definition
from kizuna.testing.tenant import PARTITIONS, an_item, append, make_workspace

Connection = psycopg.Connection[Any]


class Settings(Struct):
    """Nothing is asked."""


class Ear:
    """A target that remembers what it was told; `meanwhile` happens once, while a piece is with it."""

    name: ClassVar[str] = "ear"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset()
    gathers: ClassVar[bool] = False

    def __init__(self) -> None:
        self.told: list[str] = []
        self.answer: Taken | Later = Taken()
        self.meanwhile: Callable[[], Any] | None = None

    def made(self) -> dict[str, Any]:
        return {}

    def carry(self, piece: Piece, settings: Any, place: Place, done: set[str]) -> Taken | Later:
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        new = [entry for entry in piece.entries if entry.id not in done]
        self.told += [msgspec.json.decode(entry.body)["type"] for entry in new]
        done |= {entry.id for entry in new}
        return self.answer


@pytest.fixture
def workspace(connection: Connection) -> int:
    made = make_workspace(connection)
    connection.execute(
        "INSERT INTO feed (workspace, name, partitions, offsets) VALUES (%s, 'crm', %s, %s::bigint[])",
        [made, list(range(PARTITIONS)), [0] * PARTITIONS],
    )
    connection.commit()
    return made


def follower(workspace: int, ear: Ear) -> Follower:
    place = Place(workspace, "crm", Path(), Outside())
    return Follower(Route(Feed(to={"kind": "ear"}), ear, Settings(), place))


def happen(connection: Connection, workspace: int, *names: str) -> None:
    """Logged and folded."""
    for name in names:
        append(connection, workspace, [an_item(workspace, name, user="ada", name=name)])
    connection.execute('UPDATE log_head SET applied = "offset" WHERE workspace = %s', [workspace])
    connection.commit()


def rewind(connection: Connection, workspace: int) -> None:
    """To the beginning."""
    connection.execute(
        "UPDATE feed SET until = NULL, tries = 0, next_at = 0, offsets = array_fill(0::bigint, ARRAY[%s])"
        " WHERE workspace = %s",
        [PARTITIONS, workspace],
    )
    connection.commit()


def test_who_is_late_ends_no_piece_of_another(connection: Connection, workspace: int) -> None:
    """A feed that was published anew has for a moment two who tell it: one hangs, the other goes on."""
    slow, quick = Ear(), Ear()
    old, new = follower(workspace, slow), follower(workspace, quick)

    def the_other_goes_on() -> None:
        new.turn(connection)
        happen(connection, workspace, "second")
        quick.answer = Later("away")
        new.turn(connection)

    happen(connection, workspace, "first")
    slow.meanwhile = the_other_goes_on
    old.turn(connection)
    connection.execute("UPDATE feed SET next_at = 0")
    quick.answer, quick.told = Taken(), []
    new.done.clear()  # as after a kill
    new.turn(connection)
    assert quick.told == ["second"]


def test_a_late_failure_is_not_the_failure_of_who_goes_on(connection: Connection, workspace: int) -> None:
    slow, quick = Ear(), Ear()
    happen(connection, workspace, "first")
    slow.meanwhile, slow.answer = lambda: follower(workspace, quick).turn(connection), Later("gone", is_final=True)
    follower(workspace, slow).turn(connection)
    assert connection.execute("SELECT state, tries, trouble FROM feed").fetchone() == ("on", 0, None)


def test_what_is_rewound_while_a_piece_begins_is_told_again(
    connection: Connection, workspace: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear = Ear()
    mine = follower(workspace, ear)
    happen(connection, workspace, "first")
    mine.turn(connection)
    happen(connection, workspace, "second")
    rewound = False

    def gathers(*_: Any) -> int:
        nonlocal rewound
        if not rewound:
            rewind(connection, workspace)
        rewound = True
        return 0

    monkeypatch.setattr(mine, "_gathers_until", gathers)
    for _ in range(3):
        mine.turn(connection)
    assert ear.told == ["first", "first", "second"]


def test_what_was_taken_of_a_piece_that_failed_is_told_again_when_it_is_rewound(
    connection: Connection, workspace: int
) -> None:
    ear = Ear()
    mine = follower(workspace, ear)
    happen(connection, workspace, "first")
    ear.answer = Later("the rest was not taken")
    mine.turn(connection)
    rewind(connection, workspace)
    ear.answer = Taken()
    mine.turn(connection)
    assert ear.told == ["first", "first"]


def test_a_feed_that_cannot_be_read_keeps_no_other_from_being_told(
    connection: Connection, workspace: int, database_url: str, tmp_path: Path
) -> None:
    for name, to in (("lost", {"kind": "of another release"}), ("whole", {"kind": "files"})):
        put_definition(connection, workspace, "feed", name, {"to": to})
    tellers = Tellers(Config(database_url=database_url, data=tmp_path))
    try:
        tellers.look(connection)
        assert list(tellers.running) == [(workspace, "whole")]
    finally:
        tellers.close()

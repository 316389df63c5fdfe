"""History waits for live work, within bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kizuna.core import ids
from kizuna.engine.moment import Item
from kizuna.runtime import archiver as archiving
from kizuna.runtime.archiver import Archiver
from kizuna.runtime.database import connect

from .lake_builder import START, History, Place


@pytest.fixture
def history(database_url: str) -> Any:
    with connect(database_url, autocommit=True) as connection:
        yield History(connection)


@pytest.fixture
def archiver(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archiver:
    monkeypatch.setattr(archiving, "BEHIND_ROWS", 3)
    monkeypatch.setattr(archiving, "KEPT_ROWS", 6)
    return Archiver(Place(tmp_path), history.connection)


def say(history: History, count: int, *, folded: bool) -> None:
    for number in range(count):
        history.say([Item(ids.profile_id(1, "user", "ada"), f"e{number}", "track", "Seen", START)], folded=folded)


def test_it_waits_while_workers_are_behind(history: History, archiver: Archiver) -> None:
    assert not archiver.should_wait()
    say(history, 3, folded=False)
    assert not archiver.should_wait()
    say(history, 1, folded=False)
    assert archiver.should_wait()


def test_it_does_not_wait_while_the_tail_is_long(history: History, archiver: Archiver) -> None:
    say(history, 7, folded=False)
    assert not archiver.should_wait()


def test_it_waits_no_longer_than_its_patience(
    history: History, archiver: Archiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archiving, "PATIENCE_SECONDS", archiving.EVERY_SECONDS + 1)
    say(history, 5, folded=False)
    archiver.give_way()  # returns although the workers never catch up
    assert archiver.should_wait()

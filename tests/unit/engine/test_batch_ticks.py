"""A tick and what is said at its instant fold in one order, however the rows fall into batches."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kizuna.core import clock, exact_json, ids
from kizuna.engine.append import APPLIED, TICK, Row, rows_of
from kizuna.engine.memory import MemoryState
from kizuna.engine.moment import Item
from kizuna.engine.slice import Definition, Workspace
from kizuna.folds import FOLDS, memory_engine

NOW = 20_000 * clock.DAY
ADA = ids.profile_id(1, "user", "ada")
JOURNEY = {
    "entry": {"on": {"event": "Begun"}},
    "exit": [{"event": "Ended"}],
    "steps": [{"id": "wait", "delay": "1d"}],
}


def said(name: str, at: int) -> Item:
    return Item(ADA, f"m-{name}", "track", name, at, b"{}", b"", "ada", "", at)


@pytest.mark.parametrize("apart", [True, False])
def test_what_a_tick_lets_fall_due_comes_before_what_is_said_at_that_instant(*, apart: bool) -> None:
    engine, state = memory_engine(1), MemoryState([part.name for part in FOLDS])
    kept = state.make(Workspace(1, "shop", "test", "UTC", "JPY", "opt_out", 1), NOW)
    kept.definitions.append(Definition("journey", "j", 1, "active", JOURNEY, 1, None))
    kept.heads[0].program = 1
    engine.own(state, [0])

    def fold() -> None:
        while engine.run(state):
            pass

    rest: Callable[[], None] = fold if apart else lambda: None
    state.append(1, rows_of([said("Begun", NOW)], 1))
    fold()
    kept.now = NOW + clock.DAY  # the delay is over at this very instant
    state.append(1, [Row(0, TICK, 0, b"", b"")])
    rest()
    state.append(1, rows_of([said("Ended", kept.now)], 1))
    fold()
    facts = [item for row in kept.rows[0] if row.kind == APPLIED for item in row.decode()]
    [left] = [exact_json.decode(fact.properties) for fact in facts if fact.name == "journey_exited"]
    assert left["reason"] == "completed"

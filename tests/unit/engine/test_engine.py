"""Whom an engine serves first, and how much it takes on at a time."""

from __future__ import annotations

from collections.abc import Sequence

from kizuna.core import ids
from kizuna.engine.append import rows_of
from kizuna.engine.engine import FEWEST, SHORT_SECONDS, Engine
from kizuna.engine.memory import MemoryState
from kizuna.engine.moment import Item
from kizuna.engine.program import Programs
from kizuna.engine.slice import Workspace
from kizuna.engine.state import Written
from kizuna.folds import new_folder
from kizuna.profiles.fold import ProfileSlice, public

NOW = 1_700_000_000_000_000
PARTITIONS = 4


class Kept(MemoryState):
    """A memory that also keeps which (workspace, partition) each batch was about; an item takes `pace` seconds."""

    def __init__(self) -> None:
        super().__init__([ProfileSlice.name])
        self.batches: list[list[tuple[int, int]]] = []
        self.pace = 0.0

    def write(self, written: Written) -> None:
        self.batches.append([(head.workspace, head.partition) for head in written.heads])
        super().write(written)


def an_engine(state: Kept, workspaces: Sequence[int] = (1,)) -> Engine:
    folds = [ProfileSlice()]
    for workspace in workspaces:
        state.make(Workspace(workspace, f"shop {workspace}", "live", "UTC", "EUR", "opt_out", PARTITIONS), NOW)
    engine = Engine(
        new_folder(folds), Programs(folds, PARTITIONS), public, state_of=lambda memory, _: memory,
        clock=lambda: engine.folded * state.pace,
    )  # fmt: skip
    engine.own(state, range(PARTITIONS))
    return engine


def say(state: Kept, workspace: int, count: int, start: int = 0) -> None:
    """So many events, each of another customer, of which a request brings a hundred."""
    items: list[Item] = []
    for number in range(start, start + count):
        profile = ids.profile_id(workspace, "user", f"u{number}")
        items.append(Item(profile, f"m{number}", "track", "Seen", timestamp=NOW, received_at=NOW))
    for first in range(0, count, 100):
        state.append(workspace, rows_of(items[first : first + 100], PARTITIONS))


def test_partitions_in_which_somebody_waits_come_first_and_then_all_others() -> None:
    state = Kept()
    engine = an_engine(state, (1, 2))
    for workspace in (1, 2):
        say(state, workspace, 60)
    engine.waited_for = {(2, 3)}
    engine.run(state)
    assert state.batches == [[(2, 3)], [(1, 0), (1, 1), (1, 2), (1, 3)], [(2, 0), (2, 1), (2, 2)]]
    assert not engine.run(state)


def test_that_somebody_waited_is_forgotten_when_they_had_their_turn() -> None:
    state = Kept()
    engine = an_engine(state)
    engine.waited_for = {(1, 2)}
    assert not engine.run(state), "nothing is there yet"
    say(state, 1, 20)
    engine.run(state)
    assert state.batches == [[(1, 0), (1, 1), (1, 2), (1, 3)]]


def test_where_people_wait_a_slow_machine_folds_less_at_a_time_and_a_quick_one_more_again() -> None:
    state = Kept()
    engine = an_engine(state)
    say(state, 1, 20_000)
    state.pace = 0.001
    assert run(engine, state) > 1_000
    assert run(engine, state) > 1_000, "nobody waits"
    engine.waited_for = {(1, 0)}
    assert run(engine, state) <= 2 * SHORT_SECONDS / 0.001, "twice, as the partition comes by itself"
    assert run(engine, state) <= SHORT_SECONDS / 0.001, "and others may come"
    state.pace = 0.00001
    found = [run(engine, state) for _ in range(4)]
    assert found == sorted(found)
    assert found[-1] > 1_000


def test_few_items_are_folded_however_long_they_take() -> None:
    state = Kept()
    engine = an_engine(state)
    say(state, 1, 400)
    state.pace = 1.0
    engine.run(state)
    assert engine.limit == FEWEST
    state.pace = 0.0
    say(state, 1, 10, 400)
    engine.run(state)
    assert engine.limit == FEWEST, "so few tell nothing"


def run(engine: Engine, state: Kept) -> int:
    before = engine.folded
    engine.run(state)
    return engine.folded - before

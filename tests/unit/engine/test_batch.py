"""Folding makes no garbage that only a cyclic collection would find: workers run without one."""

from __future__ import annotations

import gc

from kizuna.bench import workload
from kizuna.core import clock
from kizuna.engine.append import rows_of
from kizuna.engine.engine import Engine
from kizuna.engine.memory import MemoryState
from kizuna.engine.program import Programs
from kizuna.engine.slice import Definition, Workspace
from kizuna.events.wires.segment import Reader
from kizuna.folds import FOLDS, new_folder
from kizuna.profiles.fold import public

NOW = 20_000 * clock.DAY
PARTITIONS = 4


def a_busy_engine(state: MemoryState) -> Engine:
    """Segments and journeys of the bench over a few hundred people."""
    kept = state.make(Workspace(1, "shop", "live", "Asia/Tokyo", "JPY", "opt_out", PARTITIONS), NOW)
    kinds = {"template": {"hello": workload.TEMPLATE}, "segment": workload.segments(), "journey": workload.journeys()}
    for kind, named in kinds.items():
        kept.definitions += [Definition(kind, name, 1, "active", body, 1, None) for name, body in named.items()]
    for head in kept.heads:
        head.program = 1
    engine = Engine(new_folder(), Programs(FOLDS, PARTITIONS), public, cached=50, state_of=lambda memory, _: memory)
    engine.own(state, range(PARTITIONS))
    return engine


def test_folding_leaves_no_cycles() -> None:
    state = MemoryState([part.name for part in FOLDS])
    engine = a_busy_engine(state)
    events = workload.Crowd(1).events(400)
    for number, event in enumerate(events):
        event["timestamp"] = (NOW + number) / clock.SECOND
    first, second = workload.requests(events)
    take(engine, state, first)  # compiling the program leaves some
    gc.collect()
    gc.disable()
    try:
        take(engine, state, second)
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert engine.folded == 400


def take(engine: Engine, state: MemoryState, body: bytes) -> None:
    items = Reader(1, NOW, "Asia/Tokyo", 1 << 20).read("batch", body).items
    state.append(1, rows_of(items, PARTITIONS))
    while engine.run(state):
        pass

"""The simulator's stories on real PostgreSQL; and memory held equal to it, since most stories are told there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from kizuna.engine.state import LogRow
from kizuna.folds import FOLDS
from kizuna.testing.simulation.crew import LARGE
from kizuna.testing.simulation.house import House, Left
from kizuna.testing.simulation.line import READ
from kizuna.testing.simulation.memory_house import MemoryHouse
from kizuna.testing.simulation.postgres_house import PostgresHouse
from kizuna.testing.simulation.run import tell
from kizuna.testing.simulation.story import Story, write_story

SEEDS = 50
PAUSES = (READ,)  # later in a batch another worker would wait for the locks of the first, and here they are one thread


@pytest.fixture
def house(database_url: str) -> Iterator[PostgresHouse]:
    with PostgresHouse(database_url) as house:
        yield house


def on_test_clocks(seed: int) -> Story:
    """PostgreSQL's own clock cannot be told; a test clock can."""
    story = write_story(seed)
    return replace(story, tenants=[replace(tenant, clock="test") for tenant in story.tenants])


def test_no_seed_breaks_an_invariant_on_postgresql(house: PostgresHouse) -> None:
    verdicts = []
    for seed in range(SEEDS):
        house.clear()
        verdicts.append(tell(on_test_clocks(seed), house, PAUSES))
    assert {verdict.seed: verdict.wrong[:3] for verdict in verdicts if verdict.wrong} == {}
    assert sum(verdict.crashes for verdict in verdicts) > SEEDS
    assert sum(verdict.fenced for verdict in verdicts) > SEEDS // 5
    assert sum(verdict.sent for verdict in verdicts) > SEEDS // 2


def test_memory_and_postgresql_are_left_the_same(house: PostgresHouse) -> None:
    told = 0
    for seed in range(SEEDS, SEEDS + 16):
        story = on_test_clocks(seed)
        if len(story.tenants) > 1:
            continue
        house.clear()
        memory = MemoryHouse(folds=FOLDS)
        verdicts = [tell(story, each, PAUSES, LARGE) for each in (house, memory)]
        assert [verdict.wrong for verdict in verdicts] == [[], []]
        assert verdicts[0] == verdicts[1]
        assert what_is_left(house) == what_is_left(memory)
        told += 1
    assert told > 8


def what_is_left(house: House) -> dict[str, Any]:
    """All but which batch a row came in."""
    left: Left = house.left(1)
    return {
        "rows": [[told(row) for row in rows] for rows in left.rows],
        "records": dict(left.records),
        "members": dict(left.members),
        "messages": {key: (each.state, each.due_at, each.planned) for key, each in left.messages.items()},
        "duplicates": left.duplicates,
        "counters": {name: value for name, value in left.counters.items() if value},
        "heads": [replace(head, batch=0) for head in left.heads],
        "definitions": sorted((d.kind, d.name, d.version, d.introduced, d.retired or 0) for d in left.definitions),
    }


def told(row: LogRow) -> tuple[Any, ...]:
    items: Sequence[bytes] = [msgspec.msgpack.encode(item) for item in row.decode()] if row.kind < 2 else [row.body]
    return row.offset, row.at, row.root, row.kind, Counter(items)

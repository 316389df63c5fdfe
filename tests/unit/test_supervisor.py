"""How the work is shared out."""

from __future__ import annotations

import pytest

from kizuna.config import Config
from kizuna.supervisor import processes, shares


@pytest.mark.parametrize(("partitions", "workers"), [(64, 1), (64, 3), (7, 4), (2, 5)])
def test_every_partition_has_one_worker(partitions: int, workers: int) -> None:
    given = shares(partitions, workers)
    assert [number for first, last in given for number in range(first, last + 1)] == list(range(partitions))
    sizes = [last - first + 1 for first, last in given]
    assert max(sizes) - min(sizes) <= 1


def test_processes_of_a_small_installation() -> None:
    found = processes(Config(workers=2), 64)
    assert [process.name for process in found] == ["serve", "work 1", "work 2", "send", "archive"]
    assert [process.command[-1] for process in found[1:3]] == ["0-31", "32-63"]
    assert [process.name for process in found if process.listens] == ["serve"]

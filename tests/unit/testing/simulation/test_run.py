"""Stories in memory: no invariant breaks over many seeds, and each fault planted on purpose is found."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from kizuna.engine.memory import MemoryState
from kizuna.engine.state import Written
from kizuna.testing.simulation.memory_house import Making, MemoryHouse
from kizuna.testing.simulation.run import shrink, simulate, tell
from kizuna.testing.simulation.story import write_story

SEEDS, BLOCK = 2000, 250
SOON = 60  # seeds within which a planted fault must be found


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_no_seed_breaks_an_invariant(first: int) -> None:
    verdicts = [simulate(seed) for seed in range(first, first + BLOCK)]
    assert {verdict.seed: verdict.wrong[:3] for verdict in verdicts if verdict.wrong} == {}
    assert sum(verdict.crashes for verdict in verdicts) > BLOCK
    assert sum(verdict.fenced for verdict in verdicts) > BLOCK
    assert sum(verdict.sent for verdict in verdicts) > BLOCK // 2


def test_a_seed_tells_the_same_story_again() -> None:
    houses = [MemoryHouse(), MemoryHouse()]
    verdicts = [tell(write_story(11), house) for house in houses]
    assert verdicts[0] == verdicts[1]
    assert houses[0].state.kept[1] == houses[1].state.kept[1]


class LosesTimers(MemoryState):
    """Never finds some of those who are due."""

    def due_profiles(self, workspace: int, until: Mapping[int, int], limit: int) -> list[tuple[bytes, int]]:
        return [due for due in super().due_profiles(workspace, until, limit) if due[0][0] % 4]


class ForgetsIds(MemoryState):
    """Takes every messageId for a new one."""

    def repeated(self, workspace: int, seen: Mapping[bytes, int]) -> set[bytes]:
        super().repeated(workspace, seen)
        return set()


class KeepsWhatDied(MemoryState):
    """Writes records at once, so that a batch which dies before its commit is applied twice."""

    def write(self, written: Written) -> None:
        super().write(written)
        kept = self.kept[written.workspace]
        kept.records.update((r.id, self._stored(kept, r)) for r in (*written.new, *written.changed))


class HasNoFence(MemoryState):
    """Lets any owner write, however old what it read."""

    def write(self, written: Written) -> None:
        kept = self.kept[written.workspace]
        heads = [replace(head, batch=kept.heads[head.partition].batch) for head in written.heads]
        super().write(replace(written, heads=heads))


class LosesRelays(MemoryState):
    """Drops what one profile says to another, now and then."""

    def write(self, written: Written) -> None:
        kept = [row for row in written.rows if row.kind or row.partition]
        super().write(replace(written, rows=kept))


class SweepsNobody(MemoryState):
    """Finds nobody whom a publish must wake."""

    def sweep_profiles(self, workspace: int, partition: int, section: str) -> list[bytes]:
        return []


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        (LosesTimers, "nobody_sleeps_through"),
        (ForgetsIds, "each_message_id_once"),
        (KeepsWhatDied, "each_message_id_once"),
        (HasNoFence, "replay_is_exact"),
        (LosesRelays, "nobody_sleeps_through"),
        (SweepsNobody, "replay_is_exact"),
    ],
)
def test_a_planted_fault_is_found(fault: Making, check: str) -> None:
    found = (wrong for seed in range(SOON) for wrong in simulate(seed, MemoryHouse(fault)).wrong)
    assert any(wrong.startswith(check) for wrong in found)


def test_a_story_is_made_as_short_as_it_still_fails() -> None:
    seed = next(seed for seed in range(SOON) if simulate(seed, MemoryHouse(LosesTimers)).wrong)
    story = write_story(seed)
    short = shrink(story, lambda: MemoryHouse(LosesTimers))
    assert 0 < len(short.acts) < len(story.acts)
    assert tell(short, MemoryHouse(LosesTimers)).wrong
    assert not tell(short, MemoryHouse()).wrong

"""Stories in memory: no invariant breaks over many seeds, and each fault planted on purpose is found."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from kizuna.engine.memory import MemoryState
from kizuna.engine.slice import Definition
from kizuna.engine.state import Written
from kizuna.messages.message import Claimed
from kizuna.testing.simulation.house import Veto
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


class IgnoresVetoes(MemoryHouse):
    """Lets the claim know of an opt-out only when it is folded."""

    def vetoes(self, workspace: int) -> list[Veto]:
        return []


class ForgetsThatItHanded(MemoryHouse):
    """Plans again what a dead sender had in its hands."""

    def lost(self, workspace: int) -> list[Claimed]:
        for row in self.ledgers[workspace].messages.values():
            row.state = "planned" if row.state == "handed" else row.state
        return []


class SendsWhatIsPaused(MemoryHouse):
    """Claims without a look at what is paused."""

    def ruling(self, workspace: int, kind: str) -> list[Definition]:
        return [replace(each, status="active") for each in super().ruling(workspace, kind)]


@pytest.mark.parametrize(
    ("house", "said"),
    [
        (IgnoresVetoes, "after an accepted opt-out"),
        (ForgetsThatItHanded, "was sent 2 times"),
        (SendsWhatIsPaused, "while what it belongs to was paused"),
    ],
)
def test_a_planted_fault_of_the_sender_is_found(house: type[MemoryHouse], said: str) -> None:
    found = (wrong for seed in range(10 * SOON) for wrong in simulate(seed, house()).wrong)
    assert any(said in wrong for wrong in found)


def test_a_story_is_made_as_short_as_it_still_fails() -> None:
    seed = next(seed for seed in range(SOON) if simulate(seed, MemoryHouse(LosesTimers)).wrong)
    story = write_story(seed)
    short = shrink(story, lambda: MemoryHouse(LosesTimers))
    assert 0 < len(short.acts) < len(story.acts)
    assert tell(short, MemoryHouse(LosesTimers)).wrong
    assert not tell(short, MemoryHouse()).wrong

"""Workers that share partitions, are interrupted, die, come back and lose what they own without being told."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from kizuna.engine.append import TICK, Row
from kizuna.engine.engine import Engine
from kizuna.engine.state import FencedError
from kizuna.folds import new_folder
from kizuna.profiles.fold import public
from kizuna.testing.simulation.house import PARTITIONS, House
from kizuna.testing.simulation.line import COMMITTED, READ, WRITING, WRITTEN, Crash, Line
from kizuna.testing.simulation.programs import SharedPrograms

CRASHES = {READ: 0.02, WRITING: 0.02, WRITTEN: 0.02, COMMITTED: 0.03}  # how likely at each point
PAUSES = {READ: 0.12, WRITING: 0.10}


Sizes = tuple[int, int]  # rows and items of a batch
LARGE: Sizes = (64, 4000)
SIZES: tuple[Sizes, ...] = (LARGE, (64, 4), (3, 4000), (2, 1))


class Worker:
    """A process: an engine on a line, and the partitions it believes to own."""

    def __init__(self, number: int, partitions: Sequence[int]) -> None:
        self.number = number
        self.partitions = list(partitions)
        self.engine: Engine
        self.line: Line | None = None


class Crew:
    """`chance` is set anew by each act. While `is_calm` nothing is interrupted."""

    def __init__(
        self, house: House, chance: Random, pauses: Sequence[str] = (READ, WRITING), sizes: Sizes | None = None
    ) -> None:
        self.house = house
        self.chance = chance
        self.pauses = {point: PAUSES[point] for point in pauses}
        self.is_calm = False
        self.crashes = self.fenced = self.paused = self.batches = 0
        self._depth = 0
        count = chance.randint(1, 3)
        self.sizes = sizes or chance.choice(SIZES)
        self.cached = chance.choice((20_000, 3, 1))
        self.workers = [
            Worker(number, [p for p in range(PARTITIONS) if p % count == number]) for number in range(count)
        ]
        for worker in self.workers:
            self.start(worker)

    def start(self, worker: Worker) -> None:
        """A new process, which remembers nothing; it begins undisturbed."""
        if worker.line:
            self.house.cut(worker.line.state)
        rows, items = self.sizes
        worker.engine = Engine(
            new_folder(self.house.folds), SharedPrograms(self.house.folds), public, rows=rows, items=items,
            cached=self.cached, state_of=lambda line, _: line,
        )  # fmt: skip
        worker.line = Line(self.house.connect(worker.engine), lambda point: self.reach(worker, point))
        worker.engine.own(worker.line, worker.partitions)

    def end(self) -> None:
        for worker in self.workers:
            if worker.line:
                self.house.cut(worker.line.state)

    def reassign(self, *, silently: bool) -> None:
        """Give one partition to another worker; who had it may go on believing that it is theirs."""
        partition, to = self.chance.randrange(PARTITIONS), self.chance.choice(self.workers)
        for worker in self.workers:
            if worker is not to and partition in worker.partitions and not silently:
                worker.partitions.remove(partition)
                worker.engine.own(worker.line, worker.partitions)
        self.take_over(to, [partition])

    def take_over(self, worker: Worker, partitions: Sequence[int]) -> None:
        """Begin with partitions just taken, also with those it believed to have all along."""
        worker.partitions = sorted({*worker.partitions, *partitions})
        worker.engine.own(worker.line, worker.partitions)

    def turn(self, worker: Worker) -> bool:
        """One round of a worker; says whether it folded anything, or was disturbed."""
        try:
            self.batches += 1
            return bool(worker.partitions) and worker.engine.run(worker.line)
        except (Crash, *self.house.breaks):
            self.crashes += 1
        except FencedError:
            self.fenced += 1
        self.start(worker)
        return True

    def rest(self, worker: Worker) -> bool:
        """Nothing to fold: append a tick where a timer of a live workspace is due, as a worker does."""
        due = [
            (workspace, partition)
            for (workspace, partition), at in worker.engine.next_wakes(worker.line).items()
            if at <= self.house.now(workspace)
        ]
        for workspace in sorted({workspace for workspace, _ in due}):
            rows = [Row(partition, TICK, 0, b"", b"") for owner, partition in due if owner == workspace]
            self.house.append(workspace, rows)
        worker.engine.stale.update(partition for _, partition in due)
        return bool(due)

    def work(self, turns: int) -> None:
        for _ in range(turns):
            worker = self.chance.choice(self.workers)
            if not self.turn(worker):
                self.rest(worker)

    def reach(self, worker: Worker, point: str) -> None:
        """A batch has come to `point`: perhaps it dies here, perhaps the others go on without it."""
        if self.is_calm or self._depth:
            return
        draw = self.chance.random()
        if draw < CRASHES[point]:
            if self.chance.random() < 0.5 and worker.line:
                self.house.cut(worker.line.state)
            raise Crash
        if draw < CRASHES[point] + self.pauses.get(point, 0.0):
            self.paused += 1
            self._depth += 1
            if self.chance.random() < 0.5:
                heir = self.chance.choice(self.workers)
                if heir is not worker:
                    self.take_over(heir, worker.partitions)
            for other in self.workers:
                if other is not worker:
                    self.turn(other)
            self._depth -= 1

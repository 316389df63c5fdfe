"""The owner of some partitions: batch after batch, what it remembers between them, and what spoils one."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from kizuna.engine.batch import Batch
from kizuna.engine.folder import Folder
from kizuna.engine.poison import PoisonError, find_refused
from kizuna.engine.program import Programs
from kizuna.engine.record import Codec, Record
from kizuna.engine.state import FencedError, Head, State
from kizuna.engine.store import PostgresState

SHORT_SECONDS = 0.25  # that a run lasts where people wait for what they did: who comes meanwhile waits as long
SHORT_FOR = 60.0  # seconds after somebody waited: who waits is seldom alone, and long runs cost less
FEWEST = 200  # items that a short run may have, however long they take


class Engine:
    """Folds the partitions it is given, one workspace and one transaction at a time.

    `state_of` makes a `State` of what `own` and `run` are given: of a connection, or of a memory as it is.
    """

    def __init__(
        self,
        folder: Folder,
        programs: Programs,
        public: Callable[[Record], tuple[Any, bytes | None]],
        *,
        rows: int = 64,
        items: int = 8000,
        cached: int = 20_000,
        state_of: Callable[[Any, Engine], State] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.programs = programs
        self.public = public
        self.rows, self.items, self.cached = rows, items, cached
        self.limit = items  # of a short run
        self.short_until = 0.0  # by the clock
        self.share = items  # of each partition of a batch
        self.clock = clock  # seconds; tells how long a run lasts, and nothing else
        self.codec = Codec({part.name: part.section for part in folder.slices})
        self.writers = {kind: w for part in folder.slices for kind, w in part.writers.items()}
        self.state_of = state_of or _postgres
        self.cache: OrderedDict[tuple[int, bytes], Record] = OrderedDict()
        self.parked: set[tuple[int, bytes]] = set()
        self.wakes: dict[tuple[int, int], int] = {}  # live (workspace, partition) -> earliest timer
        self.stale: set[int] = set()  # partitions whose earliest timer must be looked up
        self.batches: dict[tuple[int, int], int] = {}  # (workspace, partition) -> its counter as we left it
        self.waited_for: set[tuple[int, int]] = set()  # (workspace, partition) in which somebody waits for an answer
        self.folded = 0  # items, since start

    def own(self, where: Any, partitions: Sequence[int]) -> None:
        """Begin with partitions just taken: nothing is remembered of the time before."""
        self.partitions = list(partitions)
        self.cache.clear()
        self.wakes.clear()
        self.batches.clear()
        self.stale = set(partitions)
        state = self.state_of(where, self)
        self.parked = state.parked_profiles(partitions)
        state.commit()

    def run(self, where: Any) -> bool:
        """Fold one batch of every workspace with something new; says whether there was any. Partitions in which
        somebody waits have one of their own, before all others: that is short, and then it is everybody's turn."""
        state = self.state_of(where, self)
        heads = state.pending_heads(self.partitions)
        waited_for, self.waited_for = self.waited_for, set()
        if not heads:
            state.commit()
            return False
        if any(self.batches.get((head.workspace, head.partition), head.batch) != head.batch for head in heads):
            self.own(where, self.partitions)  # another folded here since: what we remember is of an older time
        if waited_for:
            self.short_until = self.clock() + SHORT_FOR
        first = [head for head in heads if (head.workspace, head.partition) in waited_for]
        self.run_heads(where, first)
        self.run_heads(where, [head for head in heads if head not in first])
        return True

    def run_heads(self, where: Any, heads: list[Head]) -> None:
        """A batch of each workspace; all together are short, or as long as pays best."""
        began, folded = self.clock(), self.folded
        most = min(self.limit, self.items) if began < self.short_until else self.items
        self.share = max(1, most // max(1, len(heads)))
        for workspace, group in groupby(heads, key=lambda head: head.workspace):
            self.run_workspace(where, workspace, list(group))
        self.keep_pace(self.folded - folded, self.clock() - began)

    def keep_pace(self, folded: int, seconds: float) -> None:
        """What a short run may fold, by one that took longer, or had enough to tell."""
        if folded and (seconds > SHORT_SECONDS or 2 * folded >= self.limit):
            wanted = int(folded * SHORT_SECONDS / seconds) if seconds > 0 else self.items
            self.limit = min(self.items, max(FEWEST, min(wanted, 2 * self.limit)))

    def next_wakes(self, where: Any) -> dict[tuple[int, int], int]:
        """The earliest timer of each partition of each live workspace."""
        if self.stale:
            state = self.state_of(where, self)
            found = state.next_wakes(sorted(self.stale))
            state.commit()
            self.wakes = {key: at for key, at in self.wakes.items() if key[1] not in self.stale}
            self.wakes.update({(workspace, partition): at for workspace, partition, at in found})
            self.stale.clear()
        return self.wakes

    def run_workspace(self, where: Any, workspace: int, heads: list[Head]) -> None:
        """One batch; profiles that spoil it are found, parked and left out."""
        state = self.state_of(where, self)
        poisonous: dict[bytes, str] = {}
        while True:
            try:
                Batch(self, state, workspace, heads, poisonous).run()
            except PoisonError as poison:
                self.forget(state)
                poisonous[poison.profile] = poison.error
            except Exception as error:
                self.forget(state)
                if not state.refuses(error):
                    raise
                self.check_fence(state, heads)  # what another has written already is refused too
                found = find_refused(lambda held: self._attempt(state, workspace, heads, held), poisonous)
                poisonous[found] = str(error)
            except BaseException:
                self.forget(state)
                raise
            else:
                self.parked.update((workspace, profile) for profile in poisonous)
                return

    def check_fence(self, state: State, heads: list[Head]) -> None:
        """Raises `FencedError` when another owner folded these partitions since the heads were read."""
        found = state.pending_heads([head.partition for head in heads])
        state.commit()
        now = {(head.workspace, head.partition): head.batch for head in found}
        if any(now.get((head.workspace, head.partition)) != head.batch for head in heads):
            raise FencedError(f"workspace {heads[0].workspace}: another worker folded these partitions")

    def forget(self, state: State) -> None:
        """Undo a batch; records folded in vain are not remembered."""
        state.rollback()
        self.cache.clear()

    def _attempt(
        self, state: State, workspace: int, heads: list[Head], held: Mapping[bytes, str]
    ) -> tuple[bool, list[bytes]]:
        """Whether the batch is refused without the profiles held, and the profiles it has beside them."""
        batch = Batch(self, state, workspace, heads, held)
        is_refused = False
        try:
            batch.run(commit=False)
        except Exception as error:
            if not state.refuses(error):
                raise
            is_refused = True
        finally:
            self.forget(state)
        return is_refused, sorted(batch.records.keys() - held.keys())


def _postgres(connection: Any, engine: Engine) -> State:
    return PostgresState(connection, engine.writers, engine.public, list(engine.codec.kinds))

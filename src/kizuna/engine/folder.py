"""One step of one record: a moment or a due timer goes through the slices in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from kizuna.engine.moment import BACKFILL, Item, Moment
from kizuna.engine.slice import KnowsRepeats, Record, Scope, Slice

MAX_DEPTH = 16  # facts caused by facts; deeper is a loop and is refused
MAX_WAKES = 1_000  # of one record at one instant; more is a loop that moves no time


class Gate(Protocol):
    """Decides what reaches the folds: items to be parked, forwarded or kept for their time do not."""

    def admit(self, moment: Moment, scope: Scope, folder: Folder) -> Moment | None: ...

    def is_parked(self, record: Record) -> bool: ...


class StuckError(RuntimeError):
    """A record whose timers never move time; the engine parks it."""


class Folder:
    """Folds moments and timers into records. `early` slices are woken before an event of the same instant."""

    def __init__(self, slices: Sequence[Slice], gate: Gate, early: frozenset[str]) -> None:
        self.slices = slices
        self.told_of_repeats = [part for part in slices if isinstance(part, KnowsRepeats)]
        self.gate = gate
        self.early = early
        self.orders = [[*range(i + 1, len(slices)), *range(i + 1)] for i in range(len(slices))]

    def advance(self, moment: Moment, scope: Scope) -> None:
        """Fold one moment: timers before it, itself, then what fell due through it."""
        record = scope.record
        if record.wake_at and record.wake_at <= moment.at:
            self.fire(scope, moment.at, moment.root, before=True)
        scope.restart(moment.at, moment.root, moment.id)
        admitted = self.gate.admit(moment, scope, self)
        if admitted:
            scope.flags = admitted.item.flags & BACKFILL
            self.take(admitted, scope)
        self.set_wake(record)
        if record.wake_at and record.wake_at <= moment.at:
            self.fire(scope, moment.at, moment.root)

    def take(self, moment: Moment, scope: Scope) -> None:
        """One pass: each slice takes the moment, then the facts of the slices before it; facts go round once more."""
        told = self.hearers(moment.type, moment.name, scope)
        passed: list[tuple[Moment, tuple[bool, ...], int]] = []
        for index, part in enumerate(self.slices):
            if told[index]:
                part.fold(moment, scope)
            heard = len(passed)
            if scope.emitted:
                self._collect(passed, index, scope)
            if heard:
                for fact, listening, _ in passed[:heard]:
                    if listening[index]:
                        self._fold_fact(index, fact, scope)
                        if scope.emitted:
                            self._collect(passed, index, scope)
        for fact, listening, emitter in passed:
            if any(listening[: emitter + 1]):
                self._go_round(fact, range(emitter + 1), 1, scope)

    def hearers(self, kind: str, name: str, scope: Scope) -> tuple[bool, ...]:
        """Which slices such a moment can concern; most concern few."""
        key = (kind, name)
        found = scope.hearers.get(key)
        if found is None:
            found = scope.hearers[key] = tuple(
                [part.hears(scope.program.get(part.name), kind, name) for part in self.slices]
            )
        return found

    def _collect(self, passed: list[tuple[Moment, tuple[bool, ...], int]], emitter: int, scope: Scope) -> None:
        for fact in scope.emitted:
            listening = self.hearers(fact.type, fact.name, scope)
            if any(listening):
                passed.append((Moment(fact, scope.now, scope.root), listening, emitter))
        scope.emitted = []

    def _fold_fact(self, index: int, fact: Moment, scope: Scope) -> None:
        outer, scope.cause = scope.cause, fact.id
        self.slices[index].fold(fact, scope)
        scope.cause = outer

    def _go_round(self, fact: Moment, to: Iterable[int], depth: int, scope: Scope) -> None:
        """Say a fact to the slices named; facts it causes go to all, those after their emitter first."""
        waiting = deque([(fact, to, depth)])
        while waiting:
            said, indices, level = waiting.popleft()
            if level > MAX_DEPTH:
                scope.count("engine:loops_refused")
                continue
            listening = self.hearers(said.type, said.name, scope)
            for index in indices:
                if not listening[index]:
                    continue
                self._fold_fact(index, said, scope)
                for item in scope.emitted:
                    waiting.append((Moment(item, scope.now, scope.root), self.orders[index], level + 1))
                scope.emitted = []

    def _spread(self, emitter: int, scope: Scope) -> None:
        """Say the facts of a woken slice to all, those after it first."""
        said, scope.emitted = scope.emitted, []
        for item in said:
            self._go_round(Moment(item, scope.now, scope.root), self.orders[emitter], 1, scope)

    def fire(self, scope: Scope, until: int, root: int, *, before: bool = False) -> None:
        """Fire due timers, each at its own instant; with `before`, acting timers of exactly `until` wait."""
        record = scope.record
        last = wakes = 0
        while wakes < MAX_WAKES:
            instant = record.wake_at
            if not instant or instant > until:
                return
            wakes = wakes + 1 if instant <= last else 0
            last = instant
            woken = self.wake(scope, instant, root, only=self.early if before and instant == until else None)
            self.set_wake(record)
            if not woken:
                return
        raise StuckError("timers of this profile do not move time")

    def wake(self, scope: Scope, instant: int, root: int, only: frozenset[str] | None = None) -> bool:
        """Wake every slice that asked for `instant` or earlier; says whether any was."""
        sections = scope.record.sections
        woken = False
        for index, part in enumerate(self.slices):
            section = sections.get(part.name)  # one that nobody asked for sleeps
            due = section.wake_at if section is not None else 0
            if due and due <= instant and (only is None or part.name in only):
                woken = True
                scope.restart(instant, root, f"timer:{part.name}:{instant}")
                part.wake(scope)
                if scope.emitted:
                    self._spread(index, scope)
                while scope.again:
                    moment = scope.again.pop(0)
                    scope.restart(instant, moment.root, moment.id, moment.item.flags)
                    self.take(moment, scope)
        return woken

    def set_wake(self, record: Record) -> None:
        earliest = 0
        for section in record.sections.values():
            due = section.wake_at
            if due and (not earliest or due < earliest):
                earliest = due
        record.wake_at = earliest if earliest and not self.gate.is_parked(record) else 0

    def absorb(self, scope: Scope, sections: dict[str, Any]) -> None:
        """Join another record's sections into this one; only then does any slice hear of it."""
        said: list[tuple[int, list[Item]]] = []
        for index, part in enumerate(self.slices):
            if part.name in sections:
                part.absorb(sections[part.name], scope)
                said.append((index, scope.emitted))
                scope.emitted = []
        for index, items in said:
            for item in items:
                self._go_round(Moment(item, scope.now, scope.root), self.orders[index], 1, scope)

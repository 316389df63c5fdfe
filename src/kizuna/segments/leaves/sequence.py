"""One event after another: each strictly later than the one before, in time, and all in the window."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import Any

from kizuna.segments import rule
from kizuna.segments.leaves import FLIPS, KEPT, SAME, Happened, Leaf, Listener, States
from kizuna.segments.span import Span

MOST = 10_000  # times kept of a step in the window; beyond them the middle ones go, and `doctor` lists the record


class Sequence(Leaf):
    """State: the times of each step, oldest first; `True` once found where time cannot undo it."""

    def __init__(self, node: rule.Sequence, span: Span) -> None:
        super().__init__("Sequence", [node], None, span)
        self.steps = node.steps

    def listeners(self) -> list[tuple[str, tuple[rule.Condition, ...], Listener]]:
        return [(step.event, step.where, StepListener(self, index)) for index, step in enumerate(self.steps)]

    def take(self, states: States, index: int, at: int, now: int, zone: str) -> int:
        state = states.get(self.id)
        if state is True or not self.span.admits(at, now, zone):
            return SAME
        before = self.answer(state, now, zone)
        if state is None:
            state = states[self.id] = [[] for _ in self.steps]
        insort(state[index], at)
        self._trim(state[index], now, zone)
        after = self.answer(state, now, zone)
        if after and not self.span.is_moving and not self.zoned:
            states[self.id] = True
        return FLIPS if self.differs(before, after, now, zone) else KEPT

    def answer(self, state: Any, now: int, zone: str) -> bool:
        return state is True or (state is not None and self._latest_start(state, now, zone) is not None)

    def _latest_start(self, state: list[list[int]], now: int, zone: str) -> int | None:
        """When the sequence that stays longest in the window began."""
        reached = [(at, at) for at in self._inside(state[0], now, zone)]  # time, start of the way there
        for step, times in zip(self.steps[1:], state[1:], strict=True):
            ends = [end for end, _ in reached]
            found = []
            for at in self._inside(times, now, zone) if ends else ():
                last = bisect_left(ends, at) - 1  # the latest before it: nearest, and begun last
                if last >= 0 and (not step.within or at - ends[last] <= step.within):
                    found.append((at, reached[last][1]))
            reached = found
        return max((start for _, start in reached), default=None)

    def _inside(self, times: list[int], now: int, zone: str) -> list[int]:
        span = self.span
        if span.length and not span.length.months:
            return times[bisect_right(times, now - span.length.exact) :]
        return [at for at in times if span.holds(at, now, zone)]

    def soonest(self, state: Any, zone: str) -> int:
        return 0

    def next_change(self, state: Any, now: int, zone: str) -> int:
        if state is True or not self.timed:
            return 0
        start = self._latest_start(state, now, zone)
        if start is None:
            return 0
        if not self.zoned:
            return self.span.leaves(start, zone)
        leaving = (self.span.leaves(at, zone) for times in state for at in times)  # clocks turned back change the order
        return min(left for left in leaving if left > now)

    def merge(self, mine: Any, other: Any) -> Any:
        if mine is True or other is True:
            return True
        united = [sorted(a + b) for a, b in zip(mine, other, strict=True)]
        for times in united:
            _shorten(times)
        latch = not self.span.is_moving and not self.zoned and self._latest_start(united, 0, "UTC") is not None
        return True if latch else united

    def _trim(self, times: list[int], now: int, zone: str) -> None:
        """What left the window can take part no more."""
        if self.timed:
            gone = next((i for i, at in enumerate(times) if self.span.admits(at, now, zone)), len(times))
            del times[:gone]
        _shorten(times)


class StepListener:
    """Takes the events of one step."""

    def __init__(self, leaf: Sequence, index: int) -> None:
        self.leaf = leaf
        self.index = index

    def add(self, states: States, event: Happened, now: int, zone: str) -> int:
        return self.leaf.take(states, self.index, event.timestamp, now, zone)


def _shorten(times: list[int]) -> None:
    if len(times) > MOST:
        del times[len(times) // 2]

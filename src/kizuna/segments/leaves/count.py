"""How many events lie in the window, counted no further than the rules ask."""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import Any

from kizuna.segments import rule
from kizuna.segments.leaves import FLIPS, KEPT, SAME, Happened, Leaf, Listener, States, Watch
from kizuna.segments.span import CLIPPED, Span, span_of


def leaf_of(node: rule.Count) -> Leaf:
    span, enough = span_of(node.window), enough_for(node.tests)
    if not span.is_moving and span.local is None:
        return EverCount(node, span, enough)
    if enough == 1 and not span.is_zoned:
        return Newest(node, span)
    return MovingCount(node, span, enough)


def enough_for(tests: tuple[rule.Test, ...]) -> int:
    """From this number on every test says the same."""
    return max([1, *(test.value + (test.op not in ("gte", "lt")) for test in tests)])


class _Counted(Leaf):
    def __init__(self, node: rule.Count, span: Span, enough: int) -> None:
        super().__init__(type(self).__name__, [rule.Count(node.event, node.where, node.window, ())], enough, span)
        self.leaf = self
        self.event, self.where, self.enough = node.event, node.where, enough
        self.turns = [False] * (enough + 2)  # whether a rule reads n + 1 otherwise than n

    def watch(self, watch: Watch) -> None:
        super().watch(watch)
        for n in range(self.enough):
            self.turns[n] |= watch(n, 0, "") != watch(n + 1, 0, "")

    def listeners(self) -> list[tuple[str, tuple[rule.Condition, ...], Listener]]:
        return [(self.event, self.where, self)]

    def add(self, states: States, event: Happened, now: int, zone: str) -> int:
        raise NotImplementedError


class EverCount(_Counted):
    """State: the number, which stops at enough."""

    @property
    def is_ever(self) -> bool:
        """Whether every event counts: then the fold counts it without asking."""
        return self.span == Span()

    def add(self, states: States, event: Happened, now: int, zone: str) -> int:
        seen = states.get(self.id, 0)
        if seen >= self.enough or not self.span.low <= event.timestamp < self.span.high:
            return SAME
        states[self.id] = seen + 1
        return FLIPS if self.turns[seen] else KEPT

    def answer(self, state: int | None, now: int, zone: str) -> int:
        return state or 0

    def merge(self, mine: int, other: int) -> int:
        return min(self.enough, mine + other)


class Newest(_Counted):
    """State: the newest time; for the many rules that ask only whether there was one."""

    def __init__(self, node: rule.Count, span: Span) -> None:
        super().__init__(node, span, 1)
        self.length = span.length.exact if span.length else 0

    def add(self, states: States, event: Happened, now: int, zone: str) -> int:
        at, gone = event.timestamp, now - self.length
        newest = states.get(self.id, gone)
        if at <= newest or at <= gone:
            return SAME
        states[self.id] = at
        return FLIPS if newest <= gone and self.turns[0] else KEPT

    def answer(self, state: int | None, now: int, zone: str) -> int:
        return 1 if state is not None and state > now - self.length else 0

    def soonest(self, state: int, zone: str) -> int:
        return state + self.length

    def next_change(self, state: int, now: int, zone: str) -> int:
        left = state + self.length
        return left if left > now and self.turns[0] else 0

    def merge(self, mine: int, other: int) -> int:
        return max(mine, other)


class MovingCount(_Counted):
    """State: the newest times, as many as are enough, oldest first."""

    def __init__(self, node: rule.Count, span: Span, enough: int) -> None:
        super().__init__(node, span, enough)
        self.exact = span.length.exact if span.length else 0

    def add(self, states: States, event: Happened, now: int, zone: str) -> int:
        at = event.timestamp
        if self.exact:
            return self._add_exact(states, at, now - self.exact)
        if not self.span.admits(at, now, zone):
            return SAME
        times: list[int] = states.setdefault(self.id, [])
        before = self.answer(times, now, zone)
        if times and at < times[-1]:
            insort(times, at)
        else:
            times.append(at)
        self._trim(times, now)
        after = self.answer(times, now, zone)
        return FLIPS if after != before and self.turns[before] else KEPT

    def _add_exact(self, states: States, at: int, gone: int) -> int:
        if at <= gone:
            return SAME
        times: list[int] | None = states.get(self.id)
        if not times:
            states[self.id] = [at]
            return FLIPS if self.turns[0] else KEPT
        if times[0] <= gone:
            del times[: bisect_right(times, gone)]
        before = len(times)
        if before and at < times[-1]:
            insort(times, at)
        else:
            times.append(at)
        if before == self.enough:
            del times[0]
            return KEPT
        return FLIPS if self.turns[before] else KEPT

    def _trim(self, times: list[int], now: int) -> None:
        if self.span.local is not None:
            return  # any of them may lie in the window of another zone
        if self.zoned:  # the end of a month and clocks turned back let an older time leave later: keep a margin
            while len(times) > self.enough and times[-self.enough] - times[0] > CLIPPED:
                del times[0]
            return
        gone = bisect_right(times, now - self.exact)
        del times[: max(gone, len(times) - self.enough)]

    def answer(self, state: list[int] | None, now: int, zone: str) -> int:
        if not state:
            return 0
        if self.zoned:
            inside = sum(self.span.holds(at, now, zone) for at in state)
        else:
            inside = len(state) - bisect_right(state, now - self.exact)
        return min(inside, self.enough)

    def soonest(self, state: list[int], zone: str) -> int:
        return state[0] + self.exact if self.exact else min(self.span.leaves(at, zone) for at in state)

    def next_change(self, state: list[int], now: int, zone: str) -> int:
        if not self.timed:
            return 0
        if self.exact:
            first = bisect_right(state, now - self.exact)
            inside = state[first:]
        else:
            inside = sorted(left for left in (self.span.leaves(at, zone) for at in state) if left > now)
        remaining = len(inside)
        for left in inside:
            remaining -= 1
            if remaining < self.enough and self.turns[remaining]:
                return left + self.exact
        return 0

    def merge(self, mine: list[int], other: list[int]) -> list[int]:
        times = sorted(mine + other)
        self._trim(times, 0)
        return times


def watch_of(tests: tuple[rule.Test, ...]) -> Watch:
    """What a rule's `count` says of a number."""
    table = {"gte": int.__ge__, "gt": int.__gt__, "lt": int.__lt__, "lte": int.__le__, "is": int.__eq__}
    compared: list[tuple[Any, int]] = [(table[test.op], test.value) for test in tests]
    if len(compared) == 1:
        compare, only = compared[0]
        return lambda count, now, zone: compare(count, only)
    return lambda count, now, zone: all(holds(count, bound) for holds, bound in compared)

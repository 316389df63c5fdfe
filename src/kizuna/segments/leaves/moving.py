"""Aggregates over a moving window: the numbers in it, each with its time."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from kizuna.segments import rule
from kizuna.segments.leaves import FLIPS, KEPT, SAME, Happened, Leaf, Listener, States
from kizuna.segments.leaves.running import Number, numbers, packed, read, total
from kizuna.segments.props import compile_elements
from kizuna.segments.span import Span

_time = itemgetter(0)
Entry = list[Any]  # time, number


class Moving(Leaf):
    """State: [time, number] pairs, oldest first. What left the window is dropped with the next event."""

    def __init__(self, node: rule.Aggregate, span: Span) -> None:
        self.function = "sum" if node.function == "avg" else node.function
        about = rule.Aggregate(self.function, node.event, node.path, node.where, node.window, ())
        super().__init__("Moving", [about], node.function, span)
        self.leaf = self
        self.event, self.where = node.event, node.where
        self.find = compile_elements(node.path)
        self.reading = _READINGS[node.function]

    def listeners(self) -> list[tuple[str, tuple[rule.Condition, ...], Listener]]:
        return [(self.event, self.where, self)]

    def add(self, states: States, event: Happened, now: int, zone: str) -> int:
        if not self.span.admits(event.timestamp, now, zone):
            return SAME
        said = numbers(self.find(event.properties))
        if not said:
            return SAME
        entries: list[Entry] = states.setdefault(self.id, [])
        before = self.answer(entries, now, zone)
        for value in said:
            insort(entries, [event.timestamp, packed(value)], key=_time)
        if not self.zoned and self.span.length:
            del entries[: bisect_right(entries, now - self.span.length.exact, key=_time)]
        return FLIPS if self.differs(before, self.answer(entries, now, zone), now, zone) else KEPT

    def answer(self, state: list[Entry] | None, now: int, zone: str) -> Any:
        return self.reading([read(value)[0] for value in self._inside(state or [], now, zone)])

    def _inside(self, entries: Sequence[Entry], now: int, zone: str) -> list[Any]:
        if not self.zoned and self.span.length:
            first = bisect_right(entries, now - self.span.length.exact, key=_time)
            return [value for _, value in entries[first:]]
        return [value for at, value in entries if self.span.holds(at, now, zone)]

    def soonest(self, state: list[Entry], zone: str) -> int:
        return min(self.span.leaves(at, zone) for at, _ in state) if self.zoned else self.span.leaves(state[0][0], zone)

    def next_change(self, state: list[Entry], now: int, zone: str) -> int:
        """The next time one leaves; whether that changes an answer is seen then."""
        if not self.timed:
            return 0
        leaving = (left for left in (self.span.leaves(at, zone) for at, _ in state) if left > now)
        return min(leaving, default=0)

    def merge(self, mine: list[Entry], other: list[Entry]) -> list[Entry]:
        return sorted(mine + other, key=lambda entry: (entry[0], read(entry[1])[0]))


def _mean(values: list[Number]) -> tuple[Number, int] | None:
    return (total(values), len(values)) if values else None


_READINGS: dict[str, Any] = {
    "sum": total,
    "avg": _mean,
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
}

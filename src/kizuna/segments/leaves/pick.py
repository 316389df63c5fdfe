"""A property of the latest or the earliest event in the window; of equal times the later arrival is the later one."""

from __future__ import annotations

from typing import Any

from kizuna.profiles.traits import plain
from kizuna.segments import rule
from kizuna.segments.leaves import FLIPS, KEPT, SAME, Happened, Leaf, Listener, States
from kizuna.segments.operators import is_negative, next_change
from kizuna.segments.props import compile_elements, compile_judge
from kizuna.segments.span import Span

Entry = list[Any]  # time, arrival, values found


class Pick(Leaf):
    """State: [time, arrival, values], oldest first: one, or all that may come to be the earliest in the window."""

    def __init__(self, node: rule.Pick, span: Span) -> None:
        self.latest = node.end == "last"
        condition = rule.Condition(node.condition.path, ())
        about = rule.Pick(node.end, node.event, node.where, node.window, condition)
        super().__init__("Pick", [about], None, span)
        self.leaf = self
        self.event, self.where = node.event, node.where
        self.find = compile_elements(node.condition.path)
        self.conditions: list[rule.Condition] = []

    def listeners(self) -> list[tuple[str, tuple[rule.Condition, ...], Listener]]:
        return [(self.event, self.where, self)]

    def add(self, states: States, event: Happened, now: int, zone: str) -> int:
        if not self.span.admits(event.timestamp, now, zone):
            return SAME
        entries = states.get(self.id, [])
        before = self.answer(entries, now, zone)
        kept = self.merge(entries, [[event.timestamp, event.arrival, plain(self.find(event.properties))]])
        if kept == entries:
            return SAME
        states[self.id] = [each for each in kept if self.span.admits(each[0], now, zone)]
        return FLIPS if self.differs(before, self.answer(kept, now, zone), now, zone) else KEPT

    def differs(self, before: Any, after: Any, now: int, zone: str) -> bool:
        """Always by what rules say: to Python, but to no rule, true is 1."""
        return any(watch(before, now, zone) != watch(after, now, zone) for watch in self.watches)

    def answer(self, state: list[Entry] | None, now: int, zone: str) -> list[Any] | None:
        inside = [values for at, _, values in state or [] if self.span.holds(at, now, zone)]
        return (inside[-1] if self.latest else inside[0]) if inside else None

    def soonest(self, state: list[Entry], zone: str) -> int:
        return 0  # its values may be times

    def next_change(self, state: list[Entry], now: int, zone: str) -> int:
        leaving = [self.span.leaves(at, zone) for at, _, _ in state] if self.span.is_moving else []
        values = self.answer(state, now, zone) or []
        turning = [
            next_change(test, value, now, zone)
            for condition in self.conditions
            for test in condition.tests
            for value in values
        ]
        return min((at for at in leaving + turning if at > now), default=0)

    def merge(self, mine: list[Entry], other: list[Entry]) -> list[Entry]:
        entries = sorted(mine + other, key=lambda entry: (entry[0], entry[1]))
        if self.span.is_zoned or (self.span.is_moving and not self.latest):
            return entries
        return entries[-1:] if self.latest else entries[:1]


def watch_of(condition: rule.Condition) -> Any:
    """What a rule says of the values found; of no event at all only `exists: false` is true."""
    judge = compile_judge(condition)
    of_nothing = all(test.op == "exists" and is_negative(test) for test in condition.tests)
    return lambda values, now, zone: of_nothing if values is None else judge(values, now, zone)

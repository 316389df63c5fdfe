"""Aggregates over all time (or a fixed window): running totals, exact decimals kept as text."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from kizuna.segments import rule
from kizuna.segments.leaves import FLIPS, KEPT, SAME, Happened, Leaf, Listener, States
from kizuna.segments.props import compile_elements
from kizuna.segments.span import Span
from kizuna.segments.values import add, number

Number = int | Decimal
_WIDE = 1 << 62


class Running(Leaf):
    """Takes the numbers of a property; what it keeps of them is up to the kind."""

    def __init__(self, node: rule.Aggregate, span: Span) -> None:
        about = rule.Aggregate(node.function, node.event, node.path, node.where, node.window, ())
        super().__init__("Running", [about], None, span)
        self.leaf = self
        self.event, self.where = node.event, node.where
        self.find = compile_elements(node.path)

    def listeners(self) -> list[tuple[str, tuple[rule.Condition, ...], Listener]]:
        return [(self.event, self.where, self)]

    def add(self, states: States, event: Happened, now: int, zone: str) -> int:
        if not self.span.low <= event.timestamp < self.span.high:
            return SAME
        said = numbers(self.find(event.properties))
        if not said:
            return SAME
        before = states.get(self.id)
        after = self.gathered([said] if before is None else [read(before), said])
        if after == before:
            return SAME
        states[self.id] = after
        return FLIPS if self.differs(self.answer(before, now, zone), self.answer(after, now, zone), now, zone) else KEPT

    def gathered(self, parts: list[list[Number]]) -> Any:
        raise NotImplementedError

    def merge(self, mine: Any, other: Any) -> Any:
        return self.gathered([read(mine), read(other)])


class Sum(Running):
    """State: the total. Nothing yet is 0."""

    def add(self, states: States, event: Happened, now: int, zone: str) -> int:
        if not self.span.low <= event.timestamp < self.span.high:
            return SAME
        said = numbers(self.find(event.properties))
        if not said:
            return SAME
        before = states.get(self.id, 0)
        if type(before) is str:
            before = Decimal(before)
        after = total([before, *said])
        states[self.id] = after if type(after) is Decimal else packed(after)
        return FLIPS if self.differs(before, after, now, zone) else KEPT

    def gathered(self, parts: list[list[Number]]) -> Any:
        return packed(total([value for part in parts for value in part]))

    def answer(self, state: Any, now: int, zone: str) -> Number:
        return 0 if state is None else read(state)[0]


class Mean(Running):
    """State: total and number, so that a rule compares without dividing."""

    def add(self, states: States, event: Happened, now: int, zone: str) -> int:
        if not self.span.low <= event.timestamp < self.span.high:
            return SAME
        said = numbers(self.find(event.properties))
        if not said:
            return SAME
        before = states.get(self.id)
        more = [packed(total(said)), len(said)]
        after = more if before is None else self.merge(before, more)
        states[self.id] = after
        return FLIPS if self.differs(self.answer(before, now, zone), self.answer(after, now, zone), now, zone) else KEPT

    def answer(self, state: Any, now: int, zone: str) -> tuple[Number, int] | None:
        return None if state is None else (read(state[0])[0], state[1])

    def merge(self, mine: Any, other: Any) -> Any:
        return [packed(total([*read(mine[0]), *read(other[0])])), mine[1] + other[1]]


class Least(Running):
    """State: the smallest number."""

    def gathered(self, parts: list[list[Number]]) -> Any:
        return packed(min(value for part in parts for value in part))

    def answer(self, state: Any, now: int, zone: str) -> Number | None:
        return None if state is None else read(state)[0]


class Greatest(Least):
    """State: the greatest number."""

    def gathered(self, parts: list[list[Number]]) -> Any:
        return packed(max(value for part in parts for value in part))


def numbers(values: list[Any]) -> list[Number]:
    """The numeric ones, text that is a number among them."""
    return [found for found in map(number, values) if found is not None]


def total(values: list[Number]) -> Number:
    whole: Number = 0
    for value in values:
        whole = whole + value if type(whole) is int and type(value) is int else add(whole, value)
    return whole


def packed(value: Number) -> int | str:
    """As the record keeps it: 64 bits or text."""
    return value if type(value) is int and -_WIDE < value < _WIDE else str(value)


def read(state: Any) -> list[Number]:
    return [Decimal(state) if type(state) is str else state]

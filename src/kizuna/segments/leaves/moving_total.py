"""Sum and mean over an exact moving window: a running total, so an event costs the same however many are inside."""

from __future__ import annotations

from bisect import bisect_right, insort
from decimal import Decimal
from operator import itemgetter
from typing import Any

from kizuna.segments import rule
from kizuna.segments.leaves import FLIPS, KEPT, SAME, Happened, States
from kizuna.segments.leaves.moving import Entry, Moving
from kizuna.segments.leaves.running import Number, numbers, packed, read, total
from kizuna.segments.span import Span

_time: Any = itemgetter(0)


class MovingTotal(Moving):
    """State: the total of all kept, then [time, number] pairs, oldest first."""

    def __init__(self, node: rule.Aggregate, span: Span) -> None:
        super().__init__(node, span)
        assert span.length is not None  # noqa: S101  # others are `Moving`
        self.length = span.length.exact
        self.is_mean = node.function == "avg"

    def add(self, states: States, event: Happened, now: int, zone: str) -> int:
        at, gone = event.timestamp, now - self.length
        if at <= gone:
            return SAME
        said = numbers(self.find(event.properties))
        if not said:
            return SAME
        state: list[Any] | None = states.get(self.id)
        if state is None:
            state = states[self.id] = [0]
        elif type(state[0]) is list:
            state.insert(0, _total_of(state))  # as it was kept before there was a total
        whole = _number(state[0])
        if len(state) > 1 and state[1][0] <= gone:
            first = bisect_right(state, gone, lo=1, key=_time)
            whole = _less(whole, state[1:first])
            del state[1:first]
        before = self._reading(whole, len(state) - 1)
        for value in said:
            entry = [at, packed(value)]
            if len(state) > 1 and at < state[-1][0]:
                insort(state, entry, lo=1, key=_time)
            else:
                state.append(entry)
        whole = total([whole, *said])
        state[0] = packed(whole)
        return FLIPS if self.differs(before, self._reading(whole, len(state) - 1), now, zone) else KEPT

    def answer(self, state: list[Any] | None, now: int, zone: str) -> Any:
        if not state:
            return self._reading(0, 0)
        if type(state[0]) is list:
            state = [_total_of(state), *state]
        whole, gone = _number(state[0]), now - self.length
        first = 1
        if len(state) > 1 and state[1][0] <= gone:
            first = bisect_right(state, gone, lo=1, key=_time)
            whole = _less(whole, state[1:first])
        return self._reading(whole, len(state) - first)

    def _reading(self, whole: Number, count: int) -> Any:
        if self.is_mean:
            return (whole, count) if count else None
        return whole

    def soonest(self, state: list[Any], zone: str) -> int:
        return _pairs(state)[0][0] + self.length

    def next_change(self, state: list[Any], now: int, zone: str) -> int:
        for at, _ in _pairs(state):
            if at + self.length > now:
                return at + self.length
        return 0

    def merge(self, mine: list[Any], other: list[Any]) -> list[Any]:
        pairs = super().merge(_pairs(mine), _pairs(other))
        return [_total_of(pairs), *pairs]


def _pairs(state: list[Any]) -> list[Entry]:
    return state if type(state[0]) is list else state[1:]


def _total_of(pairs: list[Entry]) -> int | str:
    return packed(total([_number(value) for _, value in pairs]))


def _less(whole: Number, gone: list[Entry]) -> Number:
    return total([whole, *[_negated(_number(value)) for _, value in gone]])


def _negated(value: Number) -> Number:
    return value.copy_negate() if isinstance(value, Decimal) else -value  # `-` would round a Decimal


def _number(kept: Any) -> Number:
    return read(kept)[0]

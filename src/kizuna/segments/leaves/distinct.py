"""How many different values a property had in the window, counted no further than the rules ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from hashlib import blake2b

from kizuna.segments import rule
from kizuna.segments.leaves import FLIPS, KEPT, SAME, Happened, Leaf, Listener, States
from kizuna.segments.props import compile_elements
from kizuna.segments.span import CLIPPED, Span
from kizuna.segments.values import identity, number

MOST = 10_000
_LONG = 40


class Distinct(Leaf):
    """State: value to the newest time it was seen; where the zone decides, also older times that may outlast it."""

    def __init__(self, node: rule.Aggregate, span: Span) -> None:
        self.enough = enough_for(node.tests)
        about = rule.Aggregate("distinct", node.event, node.path, node.where, node.window, ())
        super().__init__("Distinct", [about], self.enough, span)
        self.leaf = self
        self.event, self.where = node.event, node.where
        self.find = compile_elements(node.path)

    def listeners(self) -> list[tuple[str, tuple[rule.Condition, ...], Listener]]:
        return [(self.event, self.where, self)]

    def add(self, states: States, event: Happened, now: int, zone: str) -> int:
        at = event.timestamp
        if not self.span.admits(at, now, zone):
            return SAME
        seen: dict[str, int] = states.get(self.id) or {}
        keys = map(_key, self.find(event.properties))
        if self.zoned:
            keys = (f"{key}\0{at}" for key in keys)
        more = {key: at for key in keys if seen.get(key, at - 1) < at}
        if not more:
            return SAME
        before = self.answer(seen, now, zone)
        states[self.id] = after = self.merge(seen, more)
        return FLIPS if self.differs(before, self.answer(after, now, zone), now, zone) else KEPT

    def answer(self, state: dict[str, int] | None, now: int, zone: str) -> int:
        if not state:
            return 0
        inside = [key for key, at in state.items() if self.span.holds(at, now, zone)]
        return min(self.enough, len({key.partition("\0")[0] for key in inside} if self.zoned else inside))

    def soonest(self, state: dict[str, int], zone: str) -> int:
        return min(self.span.leaves(at, zone) for at in state.values())

    def next_change(self, state: dict[str, int], now: int, zone: str) -> int:
        if not self.timed:
            return 0
        leaving = (left for left in (self.span.leaves(at, zone) for at in state.values()) if left > now)
        return min(leaving, default=0)

    def merge(self, mine: dict[str, int], other: dict[str, int]) -> dict[str, int]:
        newest = {key: max(mine.get(key, at), at) for key, at in other.items()}
        found = sorted({**mine, **newest}.items(), key=lambda pair: (-pair[1], pair[0]))
        return dict(self._lasting(found) if self.zoned else found[: self.enough])

    def _lasting(self, found: Sequence[tuple[str, int]]) -> Iterator[tuple[str, int]]:
        """Without times that leave a moving window before a newer one of the same value; newest first."""
        newest: dict[str, int] = {}
        for key, at in found:
            if not self.timed or newest.setdefault(key.partition("\0")[0], at) - at <= CLIPPED:
                yield key, at


def enough_for(tests: tuple[rule.Test, ...]) -> int:
    """From this number on every test says the same."""
    bounds = [number(each) for test in tests for each in (test.value if test.op == "between" else [test.value])]
    highest = max((Decimal(bound) for bound in bounds if bound is not None), default=Decimal(0))
    return int(min(max(highest + 1, Decimal(1)), Decimal(MOST)))


def _key(value: object) -> str:
    text = identity(value) or ""
    return text if len(text) <= _LONG else "#" + blake2b(text.encode(), digest_size=16).hexdigest()

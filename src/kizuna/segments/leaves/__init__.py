"""A leaf keeps of a profile's events what one part of a rule needs, and no more; leaves are shared by content hash.

Every other file is one kind. State is plain data, merged by `merge`, which is commutative and associative over
disjoint sets of events; so late events, a history filled in afterwards and joined profiles all come out the same.
"""

from __future__ import annotations

from base64 import b32hexencode
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, Protocol

from kizuna.segments.rule import Condition, Node, canonical
from kizuna.segments.span import Span

SAME, KEPT, FLIPS = 0, 1, 2  # nothing to write; state changed; an answer may have changed

States = dict[str, Any]
Watch = Callable[[Any, int, str], bool]  # what a rule says of a leaf's answer: answer, now, zone


class Happened(Protocol):
    """What leaves read of an event."""

    @property
    def timestamp(self) -> int: ...
    @property
    def arrival(self) -> int: ...
    @property
    def properties(self) -> dict[str, Any]: ...


class Leaf:
    """One kind of state. `watches` are the readings rules take of the answer: only their changes matter."""

    def __init__(self, kind: str, about: Sequence[Node], extra: object, span: Span) -> None:
        self.id = _short_hash(kind, about, extra)
        self.span = span
        self.timed = span.is_moving  # time alone may change the answer
        self.zoned = span.is_zoned
        self.watches: list[Watch] = []
        self.born = 0  # the program version since which it is maintained
        self.born_at = 0  # and when that was published
        self.ranks: tuple[int, ...] = ()  # of the trees that read it

    def listeners(self) -> list[tuple[str, tuple[Condition, ...], Listener]]:
        """Event name, conditions, and who takes such an event."""
        raise NotImplementedError

    def watch(self, watch: Watch) -> None:
        self.watches.append(watch)

    def differs(self, before: Any, after: Any, now: int, zone: str) -> bool:
        if before != after:
            for watch in self.watches:
                if watch(before, now, zone) != watch(after, now, zone):
                    return True
        return False

    def answer(self, state: Any, now: int, zone: str) -> Any:
        """The reading of a state (None: no event yet) at an instant."""
        raise NotImplementedError

    def soonest(self, state: Any, zone: str) -> int:
        """A cheap lower bound of `next_change`."""
        raise NotImplementedError

    def next_change(self, state: Any, now: int, zone: str) -> int:
        """The first instant after `now` at which time may change what a rule reads; 0 is never."""
        raise NotImplementedError

    def merge(self, mine: Any, other: Any) -> Any:
        raise NotImplementedError


class Listener(Protocol):
    """Takes an event into the states of a record."""

    @property
    def leaf(self) -> Leaf: ...

    def add(self, states: States, event: Happened, now: int, zone: str) -> int: ...


def _short_hash(kind: str, about: Sequence[Node], extra: object) -> str:
    digest = blake2b(repr((kind, extra)).encode(), digest_size=10)
    for node in about:
        digest.update(canonical(node))
    return b32hexencode(digest.digest()).decode().lower()

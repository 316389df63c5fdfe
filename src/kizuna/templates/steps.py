"""The steps that a compiled template is made of: functions over one rendering."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from liquid.ast import Node
from liquid.builtin.expressions import logical
from liquid.expression import Expression
from liquid.output import NullIO

from kizuna.templates.liquid_engine import BoundedContext, Buffer

FLUSH_AT = 65_536  # characters kept back before the output counts them

Value = Callable[["Run"], Any]
Step = Callable[["Run"], None]


class Run:
    """One rendering."""

    __slots__ = ("budget", "buffer", "context", "loops", "pending", "size", "slots")

    def __init__(self, context: BoundedContext, buffer: Buffer, slots: int) -> None:
        self.context, self.buffer, self.budget = context, buffer, context.budget
        self.slots: list[Any] = [None] * slots  # of loops, by depth
        self.loops: list[Any] = [None] * slots
        self.pending: list[str] = []
        self.size = 0

    def flush(self) -> None:
        self.buffer.write("".join(self.pending))
        self.pending.clear()
        self.size = 0


def fixed(text: str) -> Step:
    size = len(text)

    def write(run: Run) -> None:
        run.pending.append(text)
        run.size += size
        if run.size > FLUSH_AT:
            run.flush()

    return write


def assign(name: str, value: Value) -> Step:
    def assign(run: Run) -> None:
        run.context.assign(name, value(run))

    return assign


def interpreted(node: Node) -> Step:
    def interpret(run: Run) -> None:
        run.flush()
        node.render(run.context, run.buffer)

    return interpret


def silent(node: Node) -> Step:
    def interpret(run: Run) -> None:
        node.render(run.context, NullIO())

    return interpret


def from_slot(slot: int, rest: Sequence[str], ask: Value) -> Value:
    if not rest:
        return lambda run: run.slots[slot]
    if len(rest) == 1:
        only = rest[0]

        def one(run: Run) -> Any:
            value = run.slots[slot]
            try:
                return value[only]
            except (KeyError, TypeError, IndexError):
                return ask(run)

        return one

    def look(run: Run) -> Any:
        value = run.slots[slot]
        try:
            for key in rest:
                value = value[key]
        except (KeyError, TypeError, IndexError):
            return ask(run)
        return value

    return look


def from_scope(root: str, rest: Sequence[str], ask: Value, token: Any) -> Value:
    def look(run: Run) -> Any:
        scope = run.context.scope
        try:
            value: Any = scope[root]
            for key in rest:
                value = value[key]
        except (KeyError, TypeError, IndexError):
            return ask(run)
        return value

    return look


def _equal(left: Value, right: Value, _: Any) -> Callable[[Run], bool]:
    library: Any = vars(logical)["_eq"]

    def equal(run: Run) -> bool:
        one, other = left(run), right(run)
        if type(one) is type(other) and type(one) in _SIMPLE:
            return one == other
        return bool(library(one, other))

    return equal


def _unequal(left: Value, right: Value, token: Any) -> Callable[[Run], bool]:
    equal = _equal(left, right, token)
    return lambda run: not equal(run)


_SIMPLE = frozenset((str, int, float))


def _less(left: Value, right: Value, token: Any) -> Callable[[Run], bool]:
    library: Any = vars(logical)["_lt"]

    def less(run: Run) -> bool:
        return bool(library(token, left(run), right(run)))

    return less


def _greater(left: Value, right: Value, token: Any) -> Callable[[Run], bool]:
    return _less(right, left, token)


def _at_most(left: Value, right: Value, _: Any) -> Callable[[Run], bool]:
    library: Any = vars(logical)["_le"]

    def at_most(run: Run) -> bool:
        return bool(library(left(run), right(run)))

    return at_most


def _at_least(left: Value, right: Value, token: Any) -> Callable[[Run], bool]:
    return _at_most(right, left, token)


COMPARED: dict[type[Expression], Callable[[Value, Value, Any], Callable[[Run], bool]]] = {
    logical.EqExpression: _equal,
    logical.NeExpression: _unequal,
    logical.LtExpression: _less,
    logical.GtExpression: _greater,
    logical.LeExpression: _at_most,
    logical.GeExpression: _at_least,
}

"""Expressions of Liquid as Python: statements that lead to a name, or to a literal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from liquid import Markup
from liquid.builtin.expressions import (
    BooleanExpression,
    FilteredExpression,
    Path,
    StringLiteral,
    logical,
    primitive,
)
from liquid.expression import Expression

from kizuna.templates.budget import SMALL
from kizuna.templates.python_scope import Loop, Scope
from kizuna.templates.python_source import Source, literal

UNKNOWN: Any = object()


class Opaque(Exception):
    """What may use a loop as a value: by going over it, that would move it on."""


class Value(NamedTuple):
    code: str  # evaluating it twice costs little and changes nothing
    kind: type | None = None  # when it can be no other
    constant: Any = UNKNOWN


class Expressions:
    def __init__(self, source: Source, scope: Scope, env: Any) -> None:
        self.source, self.scope, self.env = source, scope, env

    def value(self, expression: Expression) -> Value:
        kind = type(expression)
        if kind is Path:
            return self._path(expression)
        if kind is FilteredExpression:
            return self.filtered(expression)
        if kind in _CONSTANTS:
            return self._constant(expression.evaluate(_Literals(self.env.autoescape)))  # type: ignore[arg-type]
        if kind is primitive.RangeLiteral:
            start, stop = self.value(expression.start), self.value(expression.stop)  # type: ignore[attr-defined]
            return Value(self.source.made(f"{self.source.object(expression)}._make_range({start.code}, {stop.code})"))
        return self._asked(expression)

    def filtered(self, expression: Any) -> Value:
        raise NotImplementedError

    def _constant(self, value: Any) -> Value:
        kind = type(value)
        if kind is str:
            return Value(literal(value), str, value)
        if value is None or kind is bool or (kind is int and -SMALL < value < SMALL):
            return Value(repr(value), kind, value)
        return Value(self.source.object(value), None if kind is int else kind, value)

    def _asked(self, expression: Expression) -> Value:
        """What the library says, by the names that its own context knows."""
        self.scope.asks = self.scope.asks_context = True
        return Value(self.source.made(f"{self.source.object(expression)}.evaluate(context)"))

    # paths -----------------------------------------------------------------------------------------------------------

    def _path(self, expression: Any) -> Value:
        root, rest = expression.path[0], expression.path[1:]
        if type(root) is not str:
            return self._asked(expression)
        if root == "forloop" and self.scope.loops:
            if len(rest) == 1 and type(rest[0]) is str and rest[0] in _OF_LOOPS:
                return self._of_loop(self.scope.loops[-1], rest[0])
            if set(map(str, rest[:-1])) <= {"parentloop"} and rest and str(rest[-1]) in _OF_LOOPS:
                return self._asked(expression)
            raise Opaque
        if loop := self.scope.loop(root):
            return self._from(loop.item, root, rest, "U" if not loop.is_plain else "")
        if root in self.scope.asked_for:
            return self._asked(expression)
        name = self.scope.root(root, self.source)
        if self.scope.is_data(root):
            return self._from(name, root, rest, "" if rest else "M")
        return self._from(name, root, rest, "U" if rest else "UM")

    def _of_loop(self, loop: Loop, name: str) -> Value:
        loop.counts |= name != "length"
        code, kind = _OF_LOOPS[name]
        return Value(f"({code.format(i=loop.index, n=loop.length)})", kind)

    def _from(self, start: str, root: str, rest: Sequence[Any], unsure: str) -> Value:
        """`unsure`: the types that the start may be of although it must be spoken of: U(ndefined), M(issing)."""
        source = self.source
        if any(type(each) is not str for each in rest) or not _NOT_ONLY_LOOKED_UP.isdisjoint(rest):
            keys = [self.value(each).code if isinstance(each, Path) else ascii(each) for each in rest]
            return Value(source.made(f"walk({start}, ({literal(root)}, {', '.join(keys)},))"))
        names = source.object((root, *rest))
        checks = " and ".join(f"type({start}) is not {kind}" for kind in unsure)
        found = start + "".join(f"[{literal(each)}]" for each in rest)
        if checks:
            found = f"{found} if {checks} else walk({start}, {names})"
        if not rest:
            return Value(source.made(found)) if checks else Value(found)
        name = source.name("v")
        source.line(f"try: {name} = {found}")
        source.line(f"except NOT_THERE: {name} = walk({start}, {names})")
        return Value(name)

    # conditions ------------------------------------------------------------------------------------------------------

    def truth(self, expression: Expression) -> str:
        """Code that answers True or False."""
        kind = type(expression)
        if kind is BooleanExpression:
            return self.truth(expression.expression)  # type: ignore[attr-defined]
        if kind in _CHAINS:
            return self._chain(expression)
        if kind in _COMPARED:
            return self._comparison(expression, kind)
        found = self.value(expression)
        if found.kind is bool and found.constant is UNKNOWN:
            return found.code
        if found.constant is not UNKNOWN:
            return repr(logical.is_truthy(found.constant))
        name = found.code
        return (
            f"(type({name}) is str or {name} is True or {name} is not None and {name} is not False and truthy({name}))"
        )

    def _chain(self, expression: Any) -> str:
        kind = type(expression)
        found = self.source.made(self.truth(expression.left), "c")
        while expression is not None:
            right = expression.right
            expression = right if type(right) is kind else None
            with self.source.block(f"if {_CHAINS[kind]}{found}"):
                self.source.line(f"{found} = {self.truth(right.left if expression else right)}")
        return found

    def _comparison(self, expression: Any, kind: type) -> str:
        if kind is logical.GtExpression:  # the library asks for the right side first
            right = self.value(expression.right)
            left = self.value(expression.left)
        else:
            left = self.value(expression.left)
            right = self.value(expression.right)
        if kind is logical.EqExpression:
            return self.equal(left, right)
        if kind is logical.NeExpression:
            return f"(not {self.equal(left, right)})"
        sign, general = _COMPARED[kind]
        if kind in (logical.GtExpression, logical.GeExpression):
            left, right = right, left
        token = self.source.object(expression.token)
        slow = general.format(token=token, left=left.code, right=right.code)
        unknown = [each.code for each in (left, right) if each.kind is not int]
        if not sign or any(each.kind not in (None, int) for each in (left, right)):
            return f"({slow})"
        checks = " and ".join(f"type({code}) is int" for code in unknown)
        fast = f"{left.code} {sign} {right.code}"
        return f"({fast} if {checks} else {slow})" if checks else f"({fast})"

    def equal(self, left: Value, right: Value, library: str = "eq") -> str:
        slow = f"{library}({left.code}, {right.code})"
        kind = right.kind
        if right.constant is UNKNOWN or left.constant is not UNKNOWN:
            return f"({slow})"
        if kind is str or kind is Markup:
            return f"({left.code} == {literal(right.constant)} if type({left.code}) is str else {slow})"
        if kind is int:
            return f"({left.code} == {right.code} if type({left.code}) is int else {slow})"
        if kind is primitive.Blank:
            return f"(not {left.code} or {left.code}.isspace() if type({left.code}) is str else {slow})"
        return f"({slow})"


class _Literals:
    """As much of a context as constants ask for."""

    def __init__(self, autoescape: bool) -> None:
        self.autoescape = autoescape


_CONSTANTS = frozenset((
    StringLiteral, primitive.IntegerLiteral, primitive.FloatLiteral, primitive.TrueLiteral, primitive.FalseLiteral,
    primitive.Nil, primitive.Empty, primitive.Blank,
))  # fmt: skip
_OF_LOOPS: dict[str, tuple[str, type]] = {
    "index": ("{i} + 1", int), "index0": ("{i}", int), "rindex": ("{n} - {i}", int), "rindex0": ("{n} - {i} - 1", int),
    "first": ("{i} == 0", bool), "last": ("{i} == {n} - 1", bool), "length": ("{n}", int),
}  # fmt: skip
_NOT_ONLY_LOOKED_UP = frozenset(("size", "first", "last"))
_CHAINS: dict[type, str] = {logical.LogicalAndExpression: "", logical.LogicalOrExpression: "not "}
_COMPARED: dict[type, tuple[str, str]] = {
    logical.EqExpression: ("==", ""),
    logical.NeExpression: ("!=", ""),
    logical.LtExpression: ("<", "lt({token}, {left}, {right})"),
    logical.GtExpression: ("<", "lt({token}, {left}, {right})"),
    logical.LeExpression: ("<=", "le({left}, {right})"),
    logical.GeExpression: ("<=", "le({left}, {right})"),
    logical.ContainsExpression: ("", "contains({token}, {left}, {right})"),
}

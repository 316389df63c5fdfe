"""Filters as Python: the common ones in the line for short texts and whole numbers, all others by one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from liquid.builtin.expressions import FilteredExpression

from kizuna.templates.budget import SMALL, measure
from kizuna.templates.filters import date, strip_html
from kizuna.templates.python_expressions import UNKNOWN, Expressions, Value
from kizuna.templates.python_source import literal
from kizuna.templates.running import applied, dated

SHORT = 1_000  # characters; what is longer is charged for at once


class Filters(Expressions):
    def filtered(self, expression: FilteredExpression) -> Value:
        value = self.value(expression.left)
        for used in expression.filters or ():
            value = self._filter(value, used)
        return value

    def _filter(self, left: Value, used: Any) -> Value:
        function = self.env.filters.get(used.name)
        if function is None:
            self.source.line("raise Bail")
            return Value(self.source.made("None"))
        positional: list[Value] = []
        named: dict[str, Value] = {}
        for each in used.args:
            value = self.value(each.value)
            if name := getattr(each, "name", None):
                named[str(name)] = value
            else:
                positional.append(value)
        slow = self._call(used.name, function, left, positional, named)
        ways: list[Quick] = []
        if not named and left.constant is UNKNOWN and left.kind in (None, int) and used.name in _IN_LINE:
            ways = _IN_LINE[used.name](left.code, positional, self.env.autoescape)
        return self._in_line(ways, slow) if ways else Value(self.source.made(slow))

    def _call(self, name: str, function: Any, left: Value, positional: Sequence[Value], named: dict[str, Value]) -> str:
        if function is date and len(positional) == 1 and not named and isinstance(positional[0].constant, str):
            fmt = positional[0].constant
            return f"{self.source.object(dated(fmt, self.env.autoescape))}(run, {left.code})"
        if getattr(function, "with_context", False):
            self.scope.asks_context = True
            self.scope.asks |= function is not strip_html
        call = self.source.object(applied(str(name), function, self.env))
        arguments = "".join(f"{each.code}, " for each in positional)
        by_name = ", ".join(f"{literal(name)}: {each.code}" for name, each in named.items())
        return f"{call}(run, {left.code}, ({arguments}), {{{by_name}}})"

    def _in_line(self, ways: Sequence[Quick], slow: str) -> Value:
        name = self.source.name("v")
        for number, (test, work, result) in enumerate(ways):
            self.source.line(f"{'elif' if number else 'if'} {test}:")
            self.source.line(f" w += {work}; {name} = {result}")
        self.source.line(f"else: {name} = {slow}")
        return Value(name)


Quick = tuple[str, str, str]  # when, what it costs, what it answers


def _text(code: str, result: str, work: str = "1") -> Quick:
    return f"type({code}) is str and len({code}) < {SHORT}", f"len({code}) + {work}", result


def _cost(value: Value) -> int:
    return 1 + measure(value.constant)


def _method(name: str) -> Callable[[str, Sequence[Value], bool], list[Quick]]:
    return lambda v, args, escapes: [] if args else [_text(v, f"{v}.{name}()")]


def _default(v: str, args: Sequence[Value], escapes: bool) -> list[Quick]:
    if len(args) != 1:
        return []
    other = args[0]
    if other.constant is UNKNOWN:
        when, work, result = _text(other.code, f"{v} or {other.code}", "2")
        return [
            (f"{when} and type({v}) is str and len({v}) < {SHORT}", f"{work} + len({v})", result),
            (f"{v} is None and {when}", f"{work} + 8", other.code),
        ]
    cost = _cost(other)
    return [_text(v, f"{v} or {other.code}", str(cost + 1)), (f"{v} is None", str(cost + 9), other.code)]


def _append(v: str, args: Sequence[Value], escapes: bool) -> list[Quick]:
    return _put_together(v, args, escapes, "{v} + {other}")


def _prepend(v: str, args: Sequence[Value], escapes: bool) -> list[Quick]:
    return _put_together(v, args, escapes, "{other} + {v}")


def _put_together(v: str, args: Sequence[Value], escapes: bool, order: str) -> list[Quick]:
    if len(args) != 1 or not isinstance(args[0].constant, str):
        return []
    result = order.format(v=f"esc({v})" if escapes else v, other=literal(args[0].constant))
    return [_text(v, f"Markup({result})" if escapes else result, str(_cost(args[0]) + 1))]


def _truncate(v: str, args: Sequence[Value], escapes: bool) -> list[Quick]:
    if not args or args[0].kind is not int or args[0].constant is UNKNOWN or len(args) > 2:
        return []
    if len(args) == 2 and not isinstance(args[1].constant, str):
        return []
    most, ending = args[0].constant, str(args[1].constant) if len(args) == 2 else "..."
    kept = max(0, most - len(ending))
    return [
        _text(
            v,
            f"{v} if len({v}) <= {most} else {v}[:{kept}] + {literal(ending)}",
            str(1 + sum(_cost(each) for each in args)),
        )
    ]


def _slice(v: str, args: Sequence[Value], escapes: bool) -> list[Quick]:
    bounds = [each.constant for each in args]
    if not 1 <= len(args) <= 2 or not all(each.kind is int for each in args) or UNKNOWN in bounds or min(bounds) < 0:
        return []
    start, length = (*bounds, 1)[:2]
    return [_text(v, f"{v}[{start}:{start + length}]", str(1 + sum(_cost(each) for each in args)))]


def _url_encode(v: str, args: Sequence[Value], escapes: bool) -> list[Quick]:
    if args:
        return []
    result = f"Markup(quote_plus({v}))" if escapes else f"quote_plus({v})"
    return [_text(v, result, f"1 + 10 * len({v})")]


def _number(sign: str) -> Callable[[str, Sequence[Value], bool], list[Quick]]:
    def quick(v: str, args: Sequence[Value], escapes: bool) -> list[Quick]:
        if len(args) != 1 or args[0].kind not in (None, int):
            return []
        codes = [v] if args[0].constant is not UNKNOWN else [v, args[0].code]
        tests = [f"type({code}) is int and {-SMALL} < {code} < {SMALL}" for code in codes]
        return [(" and ".join(tests), "34", f"{v} {sign} {args[0].code}")]

    return quick


_IN_LINE: dict[str, Callable[[str, Sequence[Value], bool], list[Quick]]] = {
    "upcase": _method("upper"), "downcase": _method("lower"), "capitalize": _method("capitalize"),
    "strip": _method("strip"), "lstrip": _method("lstrip"), "rstrip": _method("rstrip"),
    "default": _default, "append": _append, "prepend": _prepend, "truncate": _truncate, "slice": _slice,
    "url_encode": _url_encode, "plus": _number("+"), "minus": _number("-"), "times": _number("*"),
}  # fmt: skip

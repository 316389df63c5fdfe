"""What the Python of a compiled template calls while it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, TextIO, cast
from urllib.parse import quote_plus

from liquid import BoundTemplate, Markup, escape
from liquid.builtin.expressions import logical
from liquid.builtin.tags import case_tag
from liquid.builtin.tags.for_tag import ForLoop
from liquid.context import RenderContext
from liquid.exceptions import BreakLoop, ContinueLoop, LiquidInterrupt, StopRender
from liquid.undefined import Undefined

from kizuna.templates.budget import SMALL, VALUE_CHARACTERS, Budget, measure
from kizuna.templates.filters import GUARDS, show_date
from kizuna.templates.liquid_engine import BoundedContext, Partials, shown, warn_of
from kizuna.templates.shopify import as_taken


class Bail(Exception):
    """Something that the interpreter does, or says, better: it begins anew."""


class Absent:
    """In the place of a variable that there is not. Nothing can be looked up in it."""


ABSENT = Absent()


class Run:
    """One rendering of one template."""

    get_item = RenderContext.get_item  # looks at `env` alone

    def __init__(
        self,
        template: BoundTemplate,
        variables: Mapping[str, Any],
        budget: Budget,
        page: TextIO,
        partials: Partials | None = None,
    ) -> None:
        self.template, self.variables, self.budget = template, variables, budget
        self.page, self.partials = page, partials
        self.env = template.env
        self.has_context = False

    @cached_property
    def context(self) -> BoundedContext:
        """The library's own, for what is left to it: many templates need none."""
        self.has_context = True
        context = BoundedContext(self.template, globals=self.template.make_globals(self.variables))
        context.budget, context.compiled = self.budget, self.partials
        context.scope.push(self.template.make_partial_namespace(False, {}))
        return context

    def root(self, name: str) -> Any:
        return (self.context.scope if self.has_context else self.variables).get(name, ABSENT)

    def walk(self, value: Any, path: tuple[Any, ...]) -> Any:
        """The end of a path that begins with a value, as the library's context finds it, or warns of it."""
        if type(value) is Absent:
            value = Undefined(path[0])
        else:
            try:
                for segment in path[1:]:
                    value = self.get_item(value, segment)  # type: ignore[misc]
            except (KeyError, TypeError, IndexError):
                value = Undefined(path[0])
        if type(value) is Undefined:
            warn_of(self.budget, path)
        return value

    def show_escaped(self, value: Any) -> str:
        return value if type(value) is Markup else self._show(value, True)

    def show_plain(self, value: Any) -> str:
        return self._show(value, False)

    def _show(self, value: Any, escapes: bool) -> str:
        kind = type(value)
        if kind is int and -SMALL < value < SMALL:
            self.budget.work -= 17
            return str(value)
        if not isinstance(value, (str, range)):
            self.budget.charge_value(value)
        return shown(value, escapes)


class PartialRun(Run):
    """One rendering of a partial that has a scope of its own, within another's."""

    def __init__(self, context: BoundedContext, page: TextIO) -> None:
        super().__init__(context.template, {}, context.budget, page)
        self.__dict__["context"], self.has_context = context, True

    def root(self, name: str) -> Any:
        """What was handed over and is nothing is not there."""
        value = self.context.scope.get(name, ABSENT)
        return ABSENT if type(value) is Undefined else value


def turns(run: Run, expression: Any, value: Any, limit: Any, offset: Any) -> tuple[Iterator[Any], int]:
    """What a loop goes over, as the library slices it."""
    context = run.context
    items, length = expression._to_iter(value, context)
    if expression.limit is not None:
        limit = expression._to_int(limit, token=expression.limit.token)
    if expression.offset is not None and offset != "continue":
        offset = expression._to_int(offset, token=expression.offset.token)
    return expression._slice(items, length, context, limit=limit, offset=offset)


def applied(name: str, function: Any, env: Any) -> Callable[[Run, Any, tuple[Any, ...], dict[str, Any]], Any]:
    """A filter with its charges, as the context applies it."""
    guard = GUARDS.get(name)
    has_context = getattr(function, "with_context", False)
    general: dict[str, Any] = {"environment": env} if getattr(function, "with_environment", False) else {}
    if has_context and general:
        raise NotImplementedError(name)

    def apply(run: Run, value: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        budget = run.budget
        work = 1 + _size(value)
        for each in args:
            work += 1 + _size(each)
        for each in named.values():
            work += 1 + _size(each)
        budget.work -= work
        if work > 1_000 or budget.work < 0:
            budget.charge(0)
        value = as_taken(name, value)
        if guard is not None:
            guard(budget, value, args)
        extra = {"context": run.context} if has_context else general
        result = function(value, *args, **named, **extra)
        if type(result) is int and not -SMALL < result < SMALL:
            measure(result)
        return result

    return apply


def dated(fmt: str, escapes: bool) -> Callable[[Run, Any], Any]:
    """The date filter with a format that is written in the template."""
    cost = 2 + len(fmt)

    def apply(run: Run, moment: Any) -> Any:
        run.budget.work -= cost + _size(moment)
        return show_date(moment, fmt, run.budget, escapes)

    return apply


def _size(value: Any) -> int:
    kind = type(value)
    if kind is str and len(value) <= VALUE_CHARACTERS:
        return len(value)
    return measure(value)


# `escape` makes a Markup of what it escaped, which takes four times as long as escaping; it is only joined here
_escaped: Callable[[str], str] = getattr(sys.modules[Markup.__module__], "_escape_inner", None) or cast("Any", escape)

NAMES: dict[str, Any] = {
    "__builtins__": {}, "len": len, "type": type, "str": str, "int": int, "iter": iter, "enumerate": enumerate,
    "list": list, "J": "".join, "esc": _escaped, "Markup": Markup, "quote_plus": quote_plus,
    "U": Undefined, "M": Absent, "NOT_THERE": (KeyError, TypeError, IndexError), "Bail": Bail,
    "truthy": logical.is_truthy, "eq": vars(logical)["_eq"], "case_eq": vars(case_tag)["_eq"],
    "lt": vars(logical)["_lt"], "le": vars(logical)["_le"], "contains": vars(logical)["_contains"],
    "turns": turns, "ForLoop": ForLoop, "in_loop": RenderContext.loop, "BreakLoop": BreakLoop,
    "ContinueLoop": ContinueLoop, "ENDS": (LiquidInterrupt, StopRender),
}  # fmt: skip

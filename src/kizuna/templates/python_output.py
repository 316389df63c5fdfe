"""Output as Python: pieces put together, kept back, and written to a page at times."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from liquid.ast import Node
from liquid.output import NullIO
from msgspec import Struct

from kizuna.templates.liquid_engine import shown
from kizuna.templates.python_expressions import UNKNOWN, Opaque
from kizuna.templates.python_filters import Filters
from kizuna.templates.python_scope import SETS_NOTHING, Scope, is_apart
from kizuna.templates.python_source import Source, literal
from kizuna.templates.text_passages import Passage

FLUSH_AT = 65_536  # characters kept back before the output counts them
MOST_VALUES = 8  # put together at a time
EMPTIED_AFTER = 4  # pieces of output in a row without a look at what is kept back
LONGEST_LITERAL = 100
RELOADED = "# variables may have been set"


class Target(Struct):
    """Where output goes: a page, and what is kept back before it is written there."""

    number: int
    parts: list[str]  # literals and names, which the next piece is made of
    passage: list[str | None]  # the same as literals, and None for each name
    values: int = 0
    pieces: int = 0

    @property
    def flush(self) -> str:
        n = self.number
        return f"page{n}.write(J(out{n})); out{n}.clear(); n{n} = 0"

    def forget(self) -> None:
        self.parts.clear()
        self.passage.clear()
        self.values = 0


class Output(Filters):
    def __init__(self, nodes: Iterable[Node], env: Any) -> None:
        super().__init__(Source(), Scope(nodes), env)
        self.target: Target | None = Target(0, [], [])  # None: nothing is written, as in a block of blanks

    def _text(self, text: str) -> None:
        """Long ones stay out of the source, whose length is bounded."""
        if self.target and text:
            self.target.parts.append(literal(text) if len(text) <= LONGEST_LITERAL else self.source.object(str(text)))
            self.target.passage.append(str(text))

    def _put(self, code: str, *, is_value: bool = False) -> None:
        target = self.target
        if target is None:
            return
        target.parts.append(code)
        target.passage.append(None)
        target.values += is_value
        if target.values >= MOST_VALUES:
            self._emit()

    def _emit(self) -> None:
        """What was put together so far is written, before anything that another may write."""
        target, source = self.target, self.source
        if target is None or not target.parts:
            return
        piece = target.parts[0] if len(target.parts) == 1 else f"J(({', '.join(target.parts)}))"
        n = target.number
        source.line(f"t = {piece}; add{n}(t); n{n} += len(t)")
        if n == 0:
            names = [f"{part}," for part, of in zip(target.parts, target.passage, strict=True) if of is None]
            source.line(f"note(({source.object(Passage(tuple(target.passage)))}, ({' '.join(names)})))")
        target.forget()
        target.pieces += 1
        if target.pieces % EMPTIED_AFTER == 0:
            self._empty(target)

    def _empty(self, target: Target) -> None:
        self.source.line(f"if n{target.number} > {FLUSH_AT}: {target.flush}")

    def _output(self, node: Any) -> None:
        value = self.value(node.expression)
        if isinstance(value.constant, str):
            self._text(shown(value.constant, self.env.autoescape))
        elif value.kind is int and value.constant is UNKNOWN:
            self.source.line("w += 17")
            self._put(self.source.made(f"str({value.code})", "t"))
        else:
            quick = f"esc({value.code})" if self.env.autoescape else value.code
            code = f"{quick} if type({value.code}) is str else show({value.code})"
            self._put(self.source.made(code, "t"), is_value=True)

    def _interpreted(self, node: Node) -> None:
        sets_nothing = isinstance(node, SETS_NOTHING) or is_apart(node)
        if self.scope.loops and not sets_nothing:
            raise Opaque
        self._emit()
        self.scope.asks = self.scope.asks_context = True
        source, target = self.source, self.target
        if target:
            source.line(target.flush)
        source.line("budget.work -= w; w = 0")
        source.line("if budget.work < 0: raise Bail")
        page = f"page{target.number}" if target else source.object(NullIO())
        source.line(f"{source.object(node)}.render(context, {page})")
        if not sets_nothing:
            source.line(RELOADED)

    def _assign(self, name: str, code: str) -> None:
        self.scope.asks_context = True
        root = self.scope.root(str(name), self.source)
        self.source.line(f"{root} = {code}")
        self.source.line(f"context.assign({literal(name)}, {root})")

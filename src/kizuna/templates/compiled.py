"""A parsed template as nested Python functions: what the interpreter writes, several times as fast.

What is not known here is left to the interpreter, node by node: both work on one context. After an error the caller
asks the interpreter, which says it in its own words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from liquid import BoundTemplate, Markup, escape
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import BooleanExpression, FilteredExpression, Path, StringLiteral, logical, primitive
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.for_tag import ForLoop, ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.exceptions import BreakLoop, ContinueLoop, LiquidInterrupt, StopRender
from liquid.expression import Expression

from kizuna.templates.budget import VALUE_CHARACTERS, measure
from kizuna.templates.filters import GUARDS
from kizuna.templates.liquid_engine import BoundedContext, Buffer, shown
from kizuna.templates.shopify import as_taken
from kizuna.templates.steps import (
    COMPARED,
    FLUSH_AT,
    Run,
    Step,
    Value,
    assign,
    fixed,
    from_scope,
    from_slot,
    interpreted,
    silent,
)

_SMALL = 1 << 62


class Compiled:
    def __init__(self, template: BoundTemplate) -> None:
        self.template = template
        compiler = _Compiler(template)
        self.steps = compiler.steps(template.nodes)
        self.slots = compiler.most_slots

    def write(self, context: BoundedContext, buffer: Buffer) -> None:
        run = Run(context, buffer, self.slots)
        with context.extend(self.template.make_partial_namespace(False, {})):
            try:
                for step in self.steps:
                    step(run)
            except (LiquidInterrupt, StopRender):
                pass
        run.flush()


class _Compiler:
    def __init__(self, template: BoundTemplate) -> None:
        self.env: Any = template.env
        self.escapes: bool = template.env.autoescape
        self.literals = _Literals(self.escapes)
        self.loops: list[str] = []  # the variables of the loops around, the outermost first
        self.most_slots = 0

    # nodes -----------------------------------------------------------------------------------------------------------

    def steps(self, nodes: Sequence[Node]) -> list[Step]:
        return [self.step(node) for node in nodes]

    def step(self, node: Node) -> Step:
        kind = type(node)
        if kind is ContentNode:
            return fixed(node.text)  # type: ignore[attr-defined]
        if issubclass(kind, OutputNode):
            return self.output(self.value(node.expression))  # type: ignore[attr-defined]
        if kind is IfNode or kind is UnlessNode:
            return self.condition(node, is_unless=kind is UnlessNode)
        if kind is ForNode:
            return self.loop(node)
        if kind is AssignNode:
            return assign(str(node.name), self.value(node.expression))  # type: ignore[attr-defined]
        return interpreted(node)

    def output(self, value: Value) -> Step:
        escapes = self.escapes

        def write(run: Run) -> None:
            found = value(run)
            kind = type(found)
            if kind is str:
                text = escape(found) if escapes else found
            elif kind is Markup:
                text = found
            elif kind is int and -_SMALL < found < _SMALL:
                text = str(found)
            else:
                if not isinstance(found, (str, range)):
                    run.budget.charge_value(found)
                text = shown(found, escapes)
            run.pending.append(text)
            run.size += len(text)
            if run.size > FLUSH_AT:
                run.flush()

        return write

    def block(self, node: BlockNode) -> list[Step]:
        """A block of nothing but blanks writes nothing, not even them."""
        if not (self.env.suppress_blank_control_flow_blocks and node.blank):
            return self.steps(node.nodes)
        return [
            silent(inner) if type(inner) is not AssignNode else self.step(inner)
            for inner in node.nodes
            if type(inner) is not ContentNode
        ]

    def condition(self, node: Any, *, is_unless: bool) -> Step:
        first, then = self.truth(node.condition), self.block(node.consequence)
        others = [(self.truth(each.expression), self.block(each.block)) for each in node.alternatives]
        default = self.block(node.default) if node.default else []

        def choose(run: Run) -> None:
            if first(run) is not is_unless:
                steps = then
            else:
                for truth, alternative in others:
                    if truth(run):
                        steps = alternative
                        break
                else:
                    steps = default
            for step in steps:
                step(run)

        return choose

    def loop(self, node: Any) -> Step:
        expression, slot = node.expression, len(self.loops)
        label, variable = f"{expression.identifier}-{expression.iterable}", str(expression.identifier)
        default = self.block(node.default) if node.default else []
        self.loops.append(variable)
        self.most_slots = max(self.most_slots, len(self.loops))
        steps = self.block(node.block)
        self.loops.pop()

        def turn(run: Run) -> None:
            context = run.context
            items, length = expression.evaluate(context)
            if not length:
                for step in default:
                    step(run)
                return
            loop: Any = ForLoop(name=label, it=items, length=length, parentloop=context.parentloop())
            namespace: dict[str, Any] = {"forloop": loop, variable: None}
            slots, outer, outer_loop = run.slots, run.slots[slot], run.loops[slot]
            run.loops[slot] = loop
            with context.loop(namespace, loop):
                for item in loop.it:
                    loop.step()
                    namespace[variable] = slots[slot] = item
                    try:
                        for step in steps:
                            step(run)
                    except ContinueLoop:
                        continue
                    except BreakLoop:
                        break
            slots[slot], run.loops[slot] = outer, outer_loop

        return turn

    # expressions -----------------------------------------------------------------------------------------------------

    def value(self, expression: Expression) -> Value:
        kind = type(expression)
        if kind is Path:
            return self.path(expression)
        if kind is FilteredExpression:
            made = self.value(expression.left)  # type: ignore[attr-defined]
            for each in expression.filters or ():  # type: ignore[attr-defined]
                made = self.filter(made, each)
            return made
        if kind in _CONSTANT:
            constant: Any = expression.evaluate(self.literals)  # type: ignore[arg-type]
            return lambda _: constant
        return lambda run: expression.evaluate(run.context)

    def path(self, expression: Any) -> Value:
        segments = expression.path
        token = expression.token

        def ask(run: Run) -> Any:
            return expression.evaluate(run.context)

        if not all(type(each) is str for each in segments) or not _PLAIN.isdisjoint(segments[1:]):
            if segments[0] == "forloop" and self.loops and len(segments) == 2 and segments[1] in ("first", "last"):
                return self.forloop(segments[1])
            return ask
        root, rest = segments[0], segments[1:]
        if root == "forloop" and self.loops:
            return self.forloop(rest[0]) if len(rest) == 1 and rest[0] in _OF_LOOPS else ask
        if root in self.loops:
            slot = len(self.loops) - 1 - self.loops[::-1].index(root)
            return from_slot(slot, rest, ask)
        return from_scope(root, rest, ask, token)

    def forloop(self, name: str) -> Value:
        slot = len(self.loops) - 1
        return lambda run: getattr(run.loops[slot], name)

    def truth(self, expression: Expression) -> Callable[[Run], bool]:
        if type(expression) is BooleanExpression:
            expression = expression.expression
        kind = type(expression)
        if kind is logical.LogicalAndExpression or kind is logical.LogicalOrExpression:
            left, right = self.truth(expression.left), self.truth(expression.right)  # type: ignore[attr-defined]
            if kind is logical.LogicalAndExpression:
                return lambda run: left(run) and right(run)
            return lambda run: left(run) or right(run)
        if kind in COMPARED:
            return COMPARED[kind](
                self.value(expression.left), self.value(expression.right), expression.token  # type: ignore[attr-defined]
            )  # fmt: skip
        found = self.value(expression)

        def truth(run: Run) -> bool:
            value = found(run)
            kind = type(value)
            if kind is bool:
                return value
            return kind is str or kind is int or logical.is_truthy(value)

        return truth

    def filter(self, left: Value, used: Any) -> Value:
        function: Any = self.env.filters[used.name]
        guard = GUARDS.get(used.name)
        name: str = used.name
        has_context = getattr(function, "with_context", False)
        general: dict[str, Any] = {"environment": self.env} if getattr(function, "with_environment", False) else {}
        positional = [self.value(arg.value) for arg in used.args if not getattr(arg, "name", None)]
        named = {str(arg.name): self.value(arg.value) for arg in used.args if getattr(arg, "name", None)}

        def apply(run: Run) -> Any:
            budget = run.budget
            value = left(run)
            args = [each(run) for each in positional]
            work = 1 + _size(value)
            for each in args:
                work += 1 + _size(each)
            options = general
            if named or has_context:
                options = {key: each(run) for key, each in named.items()}
                for each in options.values():
                    work += 1 + _size(each)
                options |= general
                if has_context:
                    options["context"] = run.context
            budget.work -= work
            if work > 1_000 or budget.work < 0:
                budget.charge(0)
            value = as_taken(name, value)
            if guard is not None:
                guard(budget, value, tuple(args))
            result = function(value, *args, **options)
            if type(result) is int and not -_SMALL < result < _SMALL:
                measure(result)
            return result

        return apply


class _Literals:
    """As much of a context as constants ask for."""

    def __init__(self, autoescape: bool) -> None:
        self.autoescape = autoescape


_CONSTANT = frozenset((
    StringLiteral, primitive.IntegerLiteral, primitive.FloatLiteral, primitive.TrueLiteral, primitive.FalseLiteral,
    primitive.Nil, primitive.Empty, primitive.Blank,
))  # fmt: skip
_OF_LOOPS = frozenset(("index", "index0", "rindex", "rindex0", "first", "last", "length"))
_PLAIN = frozenset(("size", "first", "last"))  # these are not only looked up


def _size(value: Any) -> int:
    kind = type(value)
    if kind is str or kind is Markup:
        return len(value) if len(value) <= VALUE_CHARACTERS else measure(value)
    if kind is int and -_SMALL < value < _SMALL:
        return 16
    return measure(value)

"""Nodes of Liquid as Python. What is not known here is left to the interpreter, node by node."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import contextmanager
from typing import Any

from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import StringLiteral
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.comment_tag import CommentNode
from liquid.builtin.tags.decrement_tag import DecrementNode
from liquid.builtin.tags.doc_tag import DocNode
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.ifchanged_tag import IfChangedNode
from liquid.builtin.tags.increment_tag import IncrementNode
from liquid.builtin.tags.inline_comment_tag import InlineCommentNode
from liquid.builtin.tags.liquid_tag import LiquidNode
from liquid.builtin.tags.unless_tag import UnlessNode

from kizuna.templates.python_expressions import UNKNOWN, Opaque
from kizuna.templates.python_output import Output, Target
from kizuna.templates.python_scope import Loop
from kizuna.templates.python_source import literal

DEEPEST = 60  # levels of Python's indentation, of which it bears a hundred
MOST_LOOPS = 4  # within each other: Python bears twenty blocks, a loop takes three at most


class Nodes(Output):
    def __init__(self, nodes: list[Node], env: Any) -> None:
        super().__init__(nodes, env)
        self.pages = 0
        with self.source.aside() as self.body:
            self._nodes(nodes)
            self._emit()

    def _nodes(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            self._node(node)

    def _node(self, node: Any) -> None:
        kind = type(node)
        if kind is ContentNode:
            self._text(node.text)
        elif kind in _SILENT:
            pass
        elif kind is LiquidNode:
            self._block(node.block)
        elif self.source.depth > DEEPEST:
            self._interpreted(node)
        elif issubclass(kind, OutputNode) and self.target:
            self._output(node)
        elif kind in (IncrementNode, DecrementNode) and self.target:
            self.scope.asks_context = True
            call = "increment" if kind is IncrementNode else "decrement"
            self._put(self.source.made(f"str(context.{call}({literal(node.name)}))", "t"))
        elif kind is AssignNode:
            self._assign(node.name, self.value(node.expression).code)
        elif kind is CaptureNode:
            self._capture(node)
        elif kind is IfChangedNode:
            self._if_changed(node)
        elif kind is IfNode or kind is UnlessNode:
            self._condition(node, "not " if kind is UnlessNode else "")
        elif kind is CaseNode and all(map(_matches_once, node.blocks)):
            self._case(node)
        elif kind is ForNode and len(self.scope.loops) < MOST_LOOPS and node.expression.identifier != "forloop":
            self._loop_or_none(node)
        elif kind is BreakNode or kind is ContinueNode:
            self._leave(is_break=kind is BreakNode)
        else:
            self._interpreted(node)

    def _capture(self, node: Any) -> None:
        text = self._aside(node.block)
        self._assign(node.name, f"Markup({text})" if self.env.autoescape else text)

    def _if_changed(self, node: Any) -> None:
        text = self.source.made(self._aside(node.block), "t")
        self._put(self.source.made(f"{text} if context.ifchanged({text}) else ''", "t"))

    def _aside(self, block: BlockNode) -> str:
        """What a block writes, on a page of its own."""
        self._emit()
        self.scope.asks_context = True
        source, outer = self.source, self.target
        if outer:
            source.line(outer.flush)
        self.pages += 1
        n = self.pages
        around = f"page{outer.number}" if outer else "None"
        source.line(f"page{n} = context.get_buffer({around}); out{n} = []; add{n} = out{n}.append; n{n} = 0")
        self.target = Target(n, [], [])
        self._block(block)
        source.line(self.target.flush)
        self.target = outer
        return f"page{n}.getvalue()"

    # blocks ----------------------------------------------------------------------------------------------------------

    def _block(self, node: BlockNode | None) -> None:
        """A block of nothing but blanks writes nothing, not even them."""
        if node is None:
            return
        outer = self.target
        self._emit()
        if self.env.suppress_blank_control_flow_blocks and node.blank:
            self.target = None
        self._nodes(node.nodes)
        self._emit()
        self.target = outer

    def _condition(self, node: Any, sign: str) -> None:
        source = self.source
        self._emit()
        alternatives = node.alternatives
        first = self.truth(node.condition)
        done = source.made("True", "c") if alternatives else ""
        with source.block(f"if {sign}{first}"):
            self._block(node.consequence)
        if not alternatives:
            if node.default:
                with source.block("else"):
                    self._block(node.default)
            return
        source.line(f"else: {done} = False")
        for each in alternatives:
            with source.block(f"if not {done}"), source.block(f"if {self.truth(each.expression)}"):
                source.line(f"{done} = True")
                self._block(each.block)
        if node.default:
            with source.block(f"if not {done}"):
                self._block(node.default)

    def _case(self, node: CaseNode) -> None:
        source = self.source
        self._emit()
        done = source.made("False", "c")
        for each in node.blocks:
            if not isinstance(each, MultiExpressionBlockNode):
                with source.block(f"if not {done}"):
                    self._block(each)
                continue
            choice: Any = each.expression
            left = self.value(choice.left)
            tests = [self.equal(left, self.value(right), "case_eq") for right in choice.expressions]
            with source.block(f"if {' or '.join(tests)}"):
                source.line(f"{done} = True")
                self._block(each.block)

    # loops -----------------------------------------------------------------------------------------------------------

    def _loop_or_none(self, node: Any) -> None:
        """A loop with something in it that may look into the loop itself is left to the interpreter, the outermost."""
        if self.scope.loops:
            return self._loop(node)
        self._emit()
        source, lines, target, asks = self.source, self.source.lines, self.target, self.scope.asks
        length, depth = len(lines), source.depth
        try:
            self._loop(node)
        except Opaque:
            source.lines, source.depth, self.target, self.scope.asks = lines, depth, target, asks
            del lines[length:]
            if target:
                target.forget()
            self.scope.loops.clear()
            self._interpreted(node)

    def _loop(self, node: Any) -> None:
        source, scope, expression = self.source, self.scope, node.expression
        self._emit()
        loop = Loop(
            str(expression.identifier), source.name("i"), source.name("x"), source.name("l"), self._is_plain(expression)
        )
        items = self._items(expression, loop)
        with source.block(f"if {loop.length}"):
            source.line(f"budget.turns -= {loop.length}")
            source.line("if budget.turns < 0: raise Bail")
            with self._body(node.block, loop) as (body, asks):
                pass
            if asks:
                self._whole_loop(expression, loop, items, body)
            else:
                each = f"{loop.index}, {loop.item} in enumerate({items})" if loop.counts else f"{loop.item} in {items}"
                source.line(f"for {each}:")
                source.put_in(body, 1)
        if node.default:
            with source.block("else"):
                self._block(node.default)
        scope.asks |= asks

    @contextmanager
    def _body(self, block: BlockNode, loop: Loop) -> Any:
        """The lines of one turn, and whether they need the loop to stand in the library's context."""
        outer, self.scope.asks = self.scope.asks, False
        self.scope.loops.append(loop)
        with self.source.aside() as lines:
            self.source.line("if monotonic() > deadline: raise Bail")
            if self.target:
                self._empty(self.target)
            self._block(block)
        self.scope.loops.pop()
        asks, self.scope.asks = self.scope.asks, outer
        yield lines, asks

    def _whole_loop(self, expression: Any, loop: Loop, items: str, body: list[str]) -> None:
        source = self.source
        scope, forloop = source.name("s"), source.name("f")
        name = f"{expression.identifier}-{expression.iterable}"
        source.line(f"{scope} = {{'forloop': None, {literal(loop.variable)}: None}}")
        source.line(
            f"{forloop} = {scope}['forloop'] = ForLoop({literal(name)}, iter(()), {loop.length}, context.parentloop())"
        )
        with (
            source.block(f"with in_loop(context, {scope}, {forloop})"),
            source.block(f"for {loop.index}, {loop.item} in enumerate({items})"),
        ):
            source.line(f"{forloop}.step(); {scope}[{literal(loop.variable)}] = {loop.item}")
            source.line("try:")
            source.put_in(body, 3)
            source.line("except ContinueLoop: continue")
            with source.block("except BreakLoop"):
                self._give_back(loop)
                source.line("break")

    def _items(self, expression: Any, loop: Loop) -> str:
        """The name of what the loop goes over; a list is sliced here."""
        source = self.source
        found = self.value(expression.iterable)
        value = found.code
        limit = self.value(expression.limit) if expression.limit is not None else None
        offset = self.value(expression.offset) if expression.offset is not None else None
        name = source.name("m")
        slow = (
            f"{name}, {loop.length} = turns(run, {source.object(expression)}, {value}, "
            f"{limit.code if limit else None}, {offset.code if offset else None})"
        )
        is_first = limit is None or (limit.kind is int and limit.constant is not UNKNOWN and limit.constant > 0)
        is_list = found.kind is None and found.constant is UNKNOWN
        if not is_list or offset is not None or expression.reversed or not is_first or self.scope.continues:
            source.line(slow)
            return name
        part = f"{value}[:{limit.code}]" if limit else value
        source.line(f"if type({value}) is list: {name} = {part}; {loop.length} = len({name})")
        source.line(f"else: {slow}")
        return name

    def _is_plain(self, expression: Any) -> bool:
        """Whether the items stand in the data, where nothing is undefined."""
        path = getattr(expression.iterable, "path", ("",))
        inner = self.scope.loop(path[0]) if type(path[0]) is str else None
        return inner.is_plain if inner else type(path[0]) is str and bool(path[0]) and self.scope.is_data(path[0])

    def _give_back(self, loop: Loop) -> None:
        """The turns that were counted when the loop began and are not taken."""
        loop.counts = True
        self.source.line(f"budget.turns += {loop.length} - 1 - {loop.index}")

    def _leave(self, *, is_break: bool) -> None:
        self._emit()
        if not self.scope.loops:
            self.source.line(f"raise {'BreakLoop' if is_break else 'ContinueLoop'}")
        elif is_break:
            self._give_back(self.scope.loops[-1])
            self.source.line("break")
        else:
            self.source.line("continue")


_SILENT = frozenset((CommentNode, InlineCommentNode, DocNode))


def _matches_once(block: Any) -> bool:
    """The library writes a block once for each of its values that match."""
    if not isinstance(block, MultiExpressionBlockNode):
        return True
    values: list[Any] = block.expression.expressions  # type: ignore[attr-defined]
    texts = {value.value for value in values if type(value) is StringLiteral}
    return len(values) == 1 or len(texts) == len(values)

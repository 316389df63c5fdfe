"""Where a name of a template is found, as far as that can be said before it is rendered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from liquid.ast import BlockNode, ConditionalBlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import StringLiteral
from liquid.builtin.output import OutputNode as LibraryOutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.comment_tag import CommentNode
from liquid.builtin.tags.cycle_tag import CycleNode
from liquid.builtin.tags.decrement_tag import DecrementNode
from liquid.builtin.tags.doc_tag import DocNode
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.ifchanged_tag import IfChangedNode
from liquid.builtin.tags.increment_tag import IncrementNode
from liquid.builtin.tags.inline_comment_tag import InlineCommentNode
from liquid.builtin.tags.liquid_tag import LiquidNode
from liquid.builtin.tags.render_tag import RenderNode
from liquid.builtin.tags.tablerow_tag import TablerowNode
from liquid.builtin.tags.unless_tag import UnlessNode
from msgspec import Struct

from kizuna.templates.extra_tags import AbortNode
from kizuna.templates.liquid_engine import EchoNode, OutputNode
from kizuna.templates.python_source import Source

_OF_THE_LIBRARY = frozenset(("now", "today", "partial"))
SETS_NOTHING = (CycleNode, AbortNode)  # of the nodes left to the interpreter


def is_apart(node: Node) -> bool:
    """A partial with a scope of its own, that cannot move on a loop around it. It sets nothing out here."""
    return type(node) is RenderNode and type(node.name) is StringLiteral and "forloop" not in str(node)


class Loop(Struct):
    variable: str
    item: str  # names in the source
    index: str
    length: str
    is_plain: bool  # whether its items stand in the data: none of them is undefined
    counts: bool = False  # whether anything asks for the index


class Scope:
    """Names: variables of loops, then what is assigned, then the data; counters and built-in ones are asked for."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.loops: list[Loop] = []
        self.roots: dict[str, str] = {}  # name: its variable in the source
        self.asks = False  # whether the code just made looks at the context's own scope
        self.asks_context = False
        self.assigned: set[str] = set()
        self.asked_for: set[str] = set(_OF_THE_LIBRARY)
        self.continues = False  # whether a loop may go on where another stopped
        self.is_closed = True  # nobody but the nodes seen here sets a name
        self._look_at(nodes)

    def _look_at(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            if isinstance(node, (AssignNode, CaptureNode)):
                self.assigned.add(str(node.name))
            elif isinstance(node, (IncrementNode, DecrementNode)):
                self.asked_for.add(str(node.name))
            elif isinstance(node, (ForNode, TablerowNode)):
                offset = cast("Any", node.expression).offset
                self.continues |= type(offset) is StringLiteral and offset.value == "continue"
            elif is_apart(node):
                continue
            elif type(node) not in _SEEN_THROUGH:
                self.is_closed = False
                self.continues = True
            self._look_at(node.children(cast("Any", None), include_partials=False))

    def loop(self, name: str) -> Loop | None:
        return next((loop for loop in reversed(self.loops) if loop.variable == name), None)

    def root(self, name: str, source: Source) -> str:
        if name not in self.roots:
            self.roots[name] = source.name("r")
        return self.roots[name]

    def is_data(self, name: str) -> bool:
        """Whether a name can only stand for what was given, which is never undefined."""
        return self.is_closed and name not in self.assigned


_SEEN_THROUGH = frozenset((
    BlockNode, ConditionalBlockNode, MultiExpressionBlockNode, ContentNode, LibraryOutputNode, OutputNode, EchoNode,
    IfNode, UnlessNode, CaseNode, LiquidNode, IfChangedNode, BreakNode, ContinueNode,
    CommentNode, InlineCommentNode, DocNode, *SETS_NOTHING,
))  # fmt: skip

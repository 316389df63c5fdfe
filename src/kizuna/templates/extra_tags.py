"""Tags of our own: `abort_message` says that this customer is not written to."""

from __future__ import annotations

from typing import TextIO

from liquid.ast import Node
from liquid.builtin.expressions import parse_primitive
from liquid.context import RenderContext
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_EXPRESSION, TOKEN_LPAREN, TOKEN_RPAREN, TOKEN_TAG, Token

LONGEST_REASON = 200


class Aborted(Exception):
    """Nothing is said: a template decided so, and its text says why, or what it needs is not to be had."""

    def __init__(self, words: str = "", reason: str = "aborted") -> None:
        super().__init__(words)
        self.reason = reason


class AbortNode(Node):
    def __init__(self, token: Token, reason: Expression | None) -> None:
        super().__init__(token)
        self.reason = reason

    def __str__(self) -> str:
        return "{% abort_message %}"

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        reason = self.reason.evaluate(context) if self.reason else ""
        raise Aborted(str(reason)[:LONGEST_REASON] if isinstance(reason, str) else "")


class AbortMessage(Tag):
    """`{% abort_message %}`, `{% abort_message 'reason' %}` or `{% abort_message('reason') %}`."""

    name = "abort_message"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_TAG)
        if stream.current.kind != TOKEN_EXPRESSION:
            stream.pos -= 1  # the parser goes on after the tag, which is its whole
            return AbortNode(token, None)
        inner = stream.into_inner(tag=token, eat=False)
        has_parentheses = inner.current.kind == TOKEN_LPAREN
        if has_parentheses:
            next(inner)
        reason = None if inner.current.kind == TOKEN_RPAREN else parse_primitive(self.env, inner)
        if has_parentheses:
            inner.eat(TOKEN_RPAREN)
        inner.expect_eos()
        return AbortNode(token, reason)


TAGS = (AbortMessage,)

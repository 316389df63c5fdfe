"""Tags of the library as Shopify's Liquid reads them: nothing may follow what a tag understands."""

from __future__ import annotations

from liquid.builtin.expressions import Path, StringLiteral, parse_identifier, parse_primitive
from liquid.builtin.tags.case_tag import CaseTag
from liquid.builtin.tags.cycle_tag import CycleNode, CycleTag
from liquid.builtin.tags.decrement_tag import DecrementNode, DecrementTag
from liquid.builtin.tags.increment_tag import IncrementNode, IncrementTag
from liquid.exceptions import LiquidSyntaxError
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.token import TOKEN_COLON, TOKEN_COMMA, TOKEN_EOF, TOKEN_OR, TOKEN_TAG


class Case(CaseTag):
    def _parse_when_expression(self, stream: TokenStream) -> list[Expression]:
        found = [parse_primitive(self.env, stream)]
        while stream.current.kind in (TOKEN_COMMA, TOKEN_OR):
            next(stream)
            found.append(parse_primitive(self.env, stream))
        stream.expect_eos()
        return found


class Increment(IncrementTag):
    def parse(self, stream: TokenStream) -> IncrementNode:
        token = stream.eat(TOKEN_TAG)
        inner = stream.into_inner(tag=token, eat=False)
        name = parse_identifier(self.env, inner)
        inner.expect_eos()
        return self.node_class(token, name=name)


class Decrement(DecrementTag):
    def parse(self, stream: TokenStream) -> DecrementNode:
        token = stream.eat(TOKEN_TAG)
        inner = stream.into_inner(tag=token, eat=False)
        name = parse_identifier(self.env, inner)
        inner.expect_eos()
        return self.node_class(token, name=name)


class Cycle(CycleTag):
    """Without a name, a cycle over variables counts for itself; one over fixed values with others like it."""

    def parse(self, stream: TokenStream) -> CycleNode:
        token = stream.eat(TOKEN_TAG)
        inner = stream.into_inner(tag=token, eat=False)
        group: Expression | None = None
        if inner.peek.kind == TOKEN_COLON:
            group = parse_primitive(self.env, inner)
            inner.eat(TOKEN_COLON)
        if inner.current.kind == TOKEN_EOF:
            raise LiquidSyntaxError("expected at least one argument", token=token)
        values = [parse_primitive(self.env, inner)]
        while inner.current.kind == TOKEN_COMMA:
            next(inner)
            if inner.current.kind != TOKEN_EOF:
                values.append(parse_primitive(self.env, inner))
        inner.expect_eos()
        if group is None and any(isinstance(value, Path) for value in values):
            group = StringLiteral(token, f"\x00{token.start_index} {hash(token.source)}")
        return self.node_class(token, group, values)


TAGS = (Case, Increment, Decrement, Cycle)

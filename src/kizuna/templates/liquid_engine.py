"""Liquid with bounds: the library's own limits, and a charge on every loop turn, filter and output."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from io import StringIO
from typing import Any, TextIO

from liquid import BoundTemplate, Environment, Markup, Mode
from liquid.builtin import CachingDictLoader, output
from liquid.builtin.expressions import LoopExpression, logical
from liquid.builtin.tags import echo_tag
from liquid.builtin.tags.for_tag import ForTag
from liquid.builtin.tags.tablerow_tag import TablerowTag
from liquid.context import RenderContext
from liquid.exceptions import (
    LiquidError,
    LiquidInterrupt,
    LocalNamespaceLimitError,
    OutputStreamLimitError,
    StopRender,
)
from liquid.stream import TokenStream
from liquid.stringify import to_liquid_string
from liquid.undefined import UNDEFINED, Undefined

from kizuna.templates import content_tag, drawing_tags, extra_tags, money
from kizuna.templates.budget import DEPTH, LOCALS_BYTES, OUTPUT_BYTES, Budget, measure
from kizuna.templates.filters import GUARDS, REPLACED
from kizuna.templates.shopify import FILTERS, as_taken, inspect, joined
from kizuna.templates.source import check_source
from kizuna.templates.tags import TAGS

WritePartial = Callable[["BoundedContext", TextIO], None]
# what writes a partial with a scope of its own instead of the interpreter, while a compiled template runs
Partials = Callable[["BoundedTemplate", Budget], WritePartial | None]


class Buffer(StringIO):
    """Output that ends at the limit; unlike the library's, it leaves CRLF alone."""

    def __init__(self, budget: Budget, room: int = OUTPUT_BYTES) -> None:
        super().__init__(newline="")
        self.budget = budget
        self.room = room
        self.times = 0  # that something was written

    def write(self, text: str, /) -> int:
        self.room -= len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if self.room < 0:
            raise OutputStreamLimitError(f"more than {OUTPUT_BYTES // 1024} kB of output", token=None)
        self.budget.check_time()
        self.times += 1
        return super().write(text)


class BoundedContext(RenderContext):
    """A render context that pays for what it does."""

    __slots__ = ("budget", "compiled", "local_sizes", "locals_size")

    def __init__(self, template: BoundTemplate, *, parent_context: RenderContext | None = None, **options: Any) -> None:
        super().__init__(template, parent_context=parent_context, **options)
        self.budget: Budget = parent_context.budget if isinstance(parent_context, BoundedContext) else Budget()
        self.compiled: Partials | None = parent_context.compiled if isinstance(parent_context, BoundedContext) else None
        self.local_sizes: dict[str, int] = {}
        self.locals_size = parent_context.locals_size if isinstance(parent_context, BoundedContext) else 0

    def assign(self, key: str, val: Any) -> None:
        size = 64 if isinstance(val, range) else 64 + measure(val)  # a range is not written out by being named
        self.budget.charge(size)
        self.locals_size += size - self.local_sizes.get(key, 0)
        self.local_sizes[key] = size
        if self.locals_size > LOCALS_BYTES:
            raise LocalNamespaceLimitError("too much kept in variables", token=None)
        self.locals[key] = val

    def get(self, path: list[object], *, token: Any, default: object = UNDEFINED) -> object:
        value = super().get(path, token=token, default=default)
        if isinstance(value, Undefined):
            warn_of(self.budget, path)
        return value

    def filter(self, name: str, token: Any) -> Callable[..., object]:
        apply = super().filter(name, token)
        guard = GUARDS.get(name)

        def charged(left: object, *args: object, **options: object) -> object:
            for value in (left, *args, *options.values()):
                self.budget.charge_value(value)
            left = as_taken(name, left)
            if guard is not None:
                guard(self.budget, left, args)
            result = apply(left, *args, **options)
            if isinstance(result, int):
                measure(result)
            return result

        return charged

    def loop(self, namespace: Mapping[str, object], forloop: Any) -> Any:
        forloop.it = self._turning(forloop.it)
        return super().loop(namespace, forloop)

    def _turning(self, items: Iterator[object]) -> Iterator[object]:
        for item in items:
            self.budget.turn()
            yield item

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        return Buffer(self.budget, buf.room if isinstance(buf, Buffer) else OUTPUT_BYTES)


def warn_of(budget: Budget, path: Iterable[object]) -> None:
    """A path that leads to nothing."""
    if budget.hears:
        budget.warn(f"{'.'.join(str(part) for part in path)[:100]} is undefined")


class OutputNode(output.OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return _write(self, context, buffer)


class EchoNode(echo_tag.EchoNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return _write(self, context, buffer)


def _write(node: Any, context: RenderContext, buffer: TextIO) -> int:
    value = node.expression.evaluate(context)
    if isinstance(context, BoundedContext) and not isinstance(value, (str, range)):
        context.budget.charge_value(value)
    return buffer.write(shown(value, context.autoescape))


def shown(value: object, escapes: bool) -> str:
    """A value as it is printed; the parts of a list are printed one after the other."""
    if isinstance(value, (list, tuple)):
        parts = joined(value)
        return Markup("").join(parts) if escapes else "".join(parts)
    if type(value) is dict:
        value = inspect(value)
    return to_liquid_string(value, escapes)


class _Output(output.Output):
    node_class = OutputNode


class _Echo(echo_tag.EchoTag):
    node_class = EchoNode


class _Loop(LoopExpression):
    """A loop over a slice of a range takes the slice; the library would walk up to it, or copy it to reverse it."""

    def _to_iter(self, obj: object, context: RenderContext) -> tuple[Any, int]:
        return (obj, len(obj)) if isinstance(obj, range) else super()._to_iter(obj, context)

    def _slice(
        self, it: Any, length: int, context: RenderContext, *, limit: int | None, offset: int | str | None
    ) -> tuple[Iterator[object], int]:
        if not isinstance(it, range):
            return super()._slice(it, length, context, limit=limit, offset=offset)
        key = f"{self.identifier}-{self.iterable}"
        start = context.stopindex(key) if offset == "continue" else int(offset or 0)
        first = min(max(start, 0), length)
        last = min((limit + start if limit is not None else 0) or length, length)
        context.stopindex(key=key, index=last)
        part = it[first : max(first, last)]
        return iter(part[::-1] if self.reversed else part), len(part)


def _bounded_loop(found: LoopExpression) -> _Loop:
    return _Loop(
        found.token, found.identifier, found.iterable,
        limit=found.limit, offset=found.offset, reversed_=found.reversed, cols=found.cols,
    )  # fmt: skip


class _For(ForTag):
    def parse(self, stream: TokenStream) -> Any:
        node: Any = super().parse(stream)
        node.expression = _bounded_loop(node.expression)
        return node


class _Tablerow(TablerowTag):
    def parse(self, stream: TokenStream) -> Any:
        node: Any = super().parse(stream)
        node.expression = _bounded_loop(node.expression)
        return node


def _contains(token: Any, left: object, right: object) -> bool:
    if isinstance(left, range):  # `in` would compare a text or a fraction with each of its numbers
        return isinstance(right, (int, float)) and float(right).is_integer() and int(right) in left
    return _library_contains(token, left, right)


# python-liquid has no seam for its operators
_library_contains: Any = vars(logical)["_contains"]
setattr(logical, "_contains", _contains)  # noqa: B010


class BoundedTemplate(BoundTemplate):
    context_class = BoundedContext

    def render_with_context(
        self,
        context: RenderContext,
        buffer: TextIO,
        *args: Any,
        partial: bool = False,
        block_scope: bool = False,
        **options: Any,
    ) -> None:
        write = None
        if partial and isinstance(context, BoundedContext):
            context.budget.turn()
            write = context.compiled(self, context.budget) if context.compiled and block_scope else None
        with context.extend(self.make_partial_namespace(partial, dict(*args, **options))):
            if write is not None and isinstance(context, BoundedContext):
                write(context, buffer)
                return
            for node in self.nodes:
                try:
                    node.render(context, buffer)
                except LiquidInterrupt:  # outside a loop, break and continue end the template, or a partial's own scope
                    if partial and not block_scope:
                        raise
                    return
                except StopRender:
                    return
                except LiquidError as error:
                    self.env.error(error, token=node.token)


class BoundedEnvironment(Environment):
    """Templates and partials by exact name; nothing is read from files."""

    context_depth_limit = DEPTH
    block_nesting_limit = DEPTH
    template_class = BoundedTemplate

    def __init__(self, *, autoescape: bool, partials: Mapping[str, str] | None = None) -> None:
        super().__init__(
            tolerance=Mode.STRICT,
            autoescape=autoescape,
            strict_filters=True,
            loader=CachingDictLoader(dict(partials or {})),
        )
        self.add_tag(_Output)
        self.add_tag(_Echo)
        self.add_tag(_For)
        self.add_tag(_Tablerow)
        for tag in (*TAGS, *extra_tags.TAGS, *drawing_tags.TAGS, *content_tag.TAGS):
            self.add_tag(tag)
        for name, replacement in (FILTERS | REPLACED | money.FILTERS).items():
            self.add_filter(name, replacement)

    def from_string(self, source: str, *args: Any, **options: Any) -> BoundTemplate:
        check_source(source)
        return super().from_string(source, *args, **options)


@cache
def plain_environment(autoescape: bool) -> BoundedEnvironment:
    """The environment of templates without partials."""
    return BoundedEnvironment(autoescape=autoescape)

"""Tags that draw from the workspace: items of catalogs, codes of promotions, and notes for the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TextIO

from liquid.ast import Node
from liquid.context import RenderContext
from liquid.exceptions import LiquidSyntaxError, ResourceLimitError
from liquid.stream import TokenStream
from liquid.stringify import to_liquid_string
from liquid.tag import Tag
from liquid.token import Token

from kizuna.templates.extra_tags import Aborted
from kizuna.templates.lookups import (
    LONGEST_KEY,
    LONGEST_VALUE,
    MOST_EXTRAS,
    Code,
    Items,
    Lookups,
    Selection,
    Unsaid,
)  # fmt: skip
from kizuna.templates.phrase import Phrase, kept_as, options, raw, words

MOST_ITEMS = 100
ITEMS = "items"  # the variable


class _ItemsNode(Node):
    """`{% catalog_items shop sku1 {{ event.properties.sku }} %}`: a value may be a list of ids."""

    def __init__(self, token: Token, catalog: Phrase, keys: list[Phrase]) -> None:
        super().__init__(token)
        self.catalog, self.keys = catalog, keys

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        wanted = list(dict.fromkeys(_ids(key.value(context) for key in self.keys)))
        if len(wanted) > MOST_ITEMS:
            raise ResourceLimitError(f"more than {MOST_ITEMS} items of a catalog at once", token=self.token)
        name = self.catalog.said(context)
        return _put(context, f"catalog {name}", _lookups(context).get(Items(name, tuple(wanted))) if wanted else [])


class _SelectionNode(Node):
    def __init__(self, token: Token, catalog: Phrase, selection: Phrase) -> None:
        super().__init__(token)
        self.catalog, self.selection = catalog, selection

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        catalog, name = self.catalog.said(context), self.selection.said(context)
        return _put(context, f"selection {name} of catalog {catalog}", _lookups(context).get(Selection(catalog, name)))


class _PromotionNode(Node):
    """`{% promotion 'spring' %}`, with `:save code` it is kept and not written."""

    def __init__(self, token: Token, promotion: Phrase, kept: str | None) -> None:
        super().__init__(token)
        self.promotion, self.kept = promotion, kept

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        name, lookups = self.promotion.said(context), _lookups(context)
        code: Any = lookups.get(Code(name))
        if isinstance(code, Unsaid):
            raise Aborted(code.words, code.reason)
        lookups.codes[name] = code
        if self.kept:
            context.assign(self.kept, code)
            return 0
        return buffer.write(to_liquid_string(code, context.autoescape))


class _ExtrasNode(Node):
    """`{% message_extras :key reason :value {{ event.properties.sku }} %}`: stands in the facts of the message."""

    def __init__(self, token: Token, key: Phrase, value: Phrase) -> None:
        super().__init__(token)
        self.key, self.value = key, value

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        key, extras = self.key.said(context), _lookups(context).extras
        value = self.value.said(context)
        if len(key) > LONGEST_KEY or len(value) > LONGEST_VALUE or (key not in extras and len(extras) >= MOST_EXTRAS):
            limits = f"{MOST_EXTRAS} message_extras of {LONGEST_KEY} and {LONGEST_VALUE} characters"
            raise ResourceLimitError(f"more than {limits}", token=self.token)
        extras[key] = value
        return 0


def _ids(values: Iterable[Any]) -> Iterable[str]:
    for value in values:
        for each in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(each, (str, int)) and not isinstance(each, bool) and each != "":
                yield str(each)


def _put(context: Any, what: str, found: Any) -> int:
    if found is None and context.budget.hears:
        context.budget.warn(f"{what} does not exist")
    context.assign(ITEMS, found or [])
    return 0


def _lookups(context: Any) -> Lookups:
    return context.budget.lookups


class CatalogItems(Tag):
    name = "catalog_items"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        token, text = raw(stream)
        catalog, *keys = words(self.env, token, text)
        if not keys:
            raise LiquidSyntaxError("catalog_items takes a catalog and ids", token=token)
        return _ItemsNode(token, catalog, keys)


class CatalogSelectionItems(Tag):
    name = "catalog_selection_items"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        token, text = raw(stream)
        said = words(self.env, token, text)
        if len(said) != 2:
            raise LiquidSyntaxError("catalog_selection_items takes a catalog and a selection", token=token)
        return _SelectionNode(token, *said)


class Promotion(Tag):
    name = "promotion"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        token, text = raw(stream)
        name, said = options(token, text, ("save",))
        if name.startswith("(") and name.endswith(")"):
            name = name[1:-1].strip()
        named = words(self.env, token, name)
        if len(named) != 1:
            raise LiquidSyntaxError("promotion takes one name", token=token)
        return _PromotionNode(token, named[0], kept_as(token, said))


class MessageExtras(Tag):
    name = "message_extras"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        token, text = raw(stream)
        before, said = options(token, text, ("key", "value"))
        pair = [words(self.env, token, said.get(name, "")) for name in ("key", "value")]
        if before or any(len(each) != 1 for each in pair):
            raise LiquidSyntaxError(
                "message_extras takes :key and :value, each one word or text in quotes", token=token
            )
        return _ExtrasNode(token, pair[0][0], pair[1][0])


TAGS = (CatalogItems, CatalogSelectionItems, Promotion, MessageExtras)

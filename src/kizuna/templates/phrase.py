"""What our own tags take: words and texts with `{{ outputs }}` in them, as Braze writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from liquid import Environment
from liquid.builtin.expressions import FilteredExpression, tokenize
from liquid.context import RenderContext
from liquid.exceptions import LiquidSyntaxError
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.stringify import to_liquid_string
from liquid.token import TOKEN_EXPRESSION, TOKEN_TAG, Token
from liquid.undefined import is_undefined

_OUTPUT = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
_WORD = re.compile(r"\{\{.*?\}\}|'[^']*'|\"[^\"]*\"|[^\s,]+", re.DOTALL)
_ESCAPED = re.compile(r"%25([0-9A-Fa-f]{2})")

Quote = Callable[[str], str]


class Phrase:
    """A text with outputs in it."""

    def __init__(self, env: Environment, token: Token, text: str) -> None:
        self.parts: list[str | Expression] = []
        place = 0
        for found in _OUTPUT.finditer(text):
            self.parts += [text[place : found.start()], _expression(env, token, found[1])]
            place = found.end()
        self.parts = [part for part in [*self.parts, text[place:]] if part != ""]

    @property
    def begins_with_output(self) -> bool:
        return bool(self.parts) and not isinstance(self.parts[0], str)

    def value(self, context: RenderContext) -> Any:
        """Of one output alone what it gives, else the text."""
        if len(self.parts) == 1 and not isinstance(self.parts[0], str):
            found = self.parts[0].evaluate(context)
            return None if is_undefined(found) else found
        return self.said(context)

    def said(self, context: RenderContext, escape: Quote = str, *, first: Quote | None = None) -> str:
        """The text; what outputs give goes through `escape`, through `first` where the text begins with it."""
        texts: list[str] = []
        for index, part in enumerate(self.parts):
            if isinstance(part, str):
                texts.append(part)
            else:
                through = first if first is not None and index == 0 else escape
                texts.append(through(str(to_liquid_string(part.evaluate(context), False))))
        return "".join(texts)


def _expression(env: Environment, token: Token, text: str) -> Expression:
    inner = Token(TOKEN_EXPRESSION, text.strip(), token.start_index, token.source)
    return FilteredExpression.parse(env, TokenStream(tokenize(inner.value, inner)))


def words(env: Environment, token: Token, text: str) -> list[Phrase]:
    """Words with blanks or commas between them; in quotes a word is as it stands."""
    return [Phrase(env, token, _unquoted(found[0])) for found in _WORD.finditer(text)]


def _unquoted(word: str) -> str:
    return word[1:-1] if word[0] in "'\"" and len(word) > 1 else word


def raw(stream: TokenStream) -> tuple[Token, str]:
    """The tag's token, and all that stands behind its name."""
    token = stream.eat(TOKEN_TAG)
    if stream.current.kind != TOKEN_EXPRESSION:
        raise LiquidSyntaxError(f"{token.value} needs more", token=token)
    return token, stream.current.value.strip()  # the parser goes on after what is current


def options(token: Token, text: str, known: Sequence[str]) -> tuple[str, dict[str, str]]:
    """What stands before the first `:option`, and each option with its text."""
    marks = re.compile(rf"\{{\{{.*?\}}\}}|(?:(?<=\s)|\A):({'|'.join(known)})(?=\s|\Z)", re.DOTALL)
    found = [mark for mark in marks.finditer(text) if mark[1]]
    ends = [mark.start() for mark in found[1:]] + [len(text)]
    said: dict[str, str] = {}
    for mark, end in zip(found, ends, strict=False):  # without options there is an end and no mark
        if mark[1] in said:
            raise LiquidSyntaxError(f":{mark[1]} is said twice", token=token)
        said[mark[1]] = text[mark.end() : end].strip()
    return text[: found[0].start()].strip() if found else text, said


def in_url(text: str) -> str:
    """Percent-encoded, but for what is already."""
    return _ESCAPED.sub(r"%\1", quote(text, safe=""))


def in_json(text: str) -> str:
    """Within a JSON text."""
    return msgspec.json.encode(text).decode()[1:-1]


def is_name(text: str) -> bool:
    """Whether a variable may be called so."""
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,99}", text) is not None


def kept_as(token: Token, said: Mapping[str, str]) -> str | None:
    """The variable of `:save`."""
    name = said.get("save")
    if name is not None and not is_name(name):
        raise LiquidSyntaxError(":save takes the name of a variable", token=token)
    return name

"""Strict YAML 1.2: what JSON can say and nothing else, bounded; the same value is always written the same."""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import Any

import yaml

from kizuna.core import exact_json
from kizuna.core.errors import Invalid

MAX_BYTES = 2 << 20
MOST_NODES = 100_000  # counted again for each use of an alias, so that a small bomb stays small
_EVERY_DIGIT = Context(prec=1000)
_SCALAR = "tag:yaml.org,2002:"
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Numbers as JSON writes them: `007` and `+81` stay text, `21:00` is a time of day and `on` is a word.
_PLAIN = [
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", list("-0123456789")),
    ("float", r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$", list("-0123456789")),
]


class _Loader(_BASE):
    """Reads plain words by `_PLAIN` alone."""


class _Dumper(yaml.SafeDumper):
    """Quotes what `_PLAIN` would not read as text."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Items of a list stand further in than its key."""
        super().increase_indent(flow, False)


_Loader.yaml_implicit_resolvers = {}
_Dumper.yaml_implicit_resolvers = {}
for _name, _pattern, _first in _PLAIN:
    for _side in (_Loader, _Dumper):
        _side.add_implicit_resolver(_SCALAR + _name, re.compile(_pattern), _first)

_elsewhere = yaml.SafeLoader("")  # how YAML 1.1 programs would read a word


def decode(raw: bytes) -> Any:
    """The value of a document; raises `Invalid` with the line of what cannot be read."""
    if len(raw) > MAX_BYTES:
        raise Invalid(f"larger than {MAX_BYTES >> 20} MiB", code="too_large")
    try:
        text = raw.removeprefix(b"\xef\xbb\xbf").decode()
        _check_depth(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise Invalid(f"not UTF-8 (byte {error.start})", code="invalid_yaml") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Invalid(_reason(error), code="invalid_yaml") from None
    value = None if node is None else _Reader().value(node, 1)
    exact_json.check(value)
    return value


def encode(value: Any) -> str:
    """A document of the value, keys in their order, texts of several lines as blocks."""
    return yaml.serialize(_node(value), Dumper=_Dumper, allow_unicode=True, width=1 << 20, encoding=None)


# reading ------------------------------------------------------------------------------------------------------------


def _check_depth(text: str) -> None:
    """Before anything is built: composing nested nodes would use up the stack, and many the memory."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if count > 2 * MOST_NODES:
            raise yaml.MarkedYAMLError(problem="more than can be read", problem_mark=event.start_mark)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > exact_json.MAX_DEPTH:
                raise yaml.MarkedYAMLError(
                    problem=f"nested deeper than {depth - 1} levels", problem_mark=event.start_mark
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Reader:
    def __init__(self) -> None:
        self.seen = 0

    def value(self, node: Any, depth: int) -> Any:
        self.seen += 1
        if self.seen > MOST_NODES or depth > exact_json.MAX_DEPTH + 1:
            raise _wrong(node, "more than can be read: aliases multiply it")
        kind = node.tag.removeprefix(_SCALAR)
        match node:
            case yaml.ScalarNode() if kind in ("null", "bool", "int", "float", "str"):
                return _scalar(kind, node)
            case yaml.SequenceNode() if kind == "seq":
                return [self.value(each, depth + 1) for each in node.value]
            case yaml.MappingNode() if kind == "map":
                return self._object(node, depth)
        raise _wrong(node, f"the tag {node.tag} is not read")

    def _object(self, node: Any, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, inner in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _wrong(key, "a key is a word")
            if key.value in found:
                raise _wrong(key, f"{key.value!r} stands here twice")
            if key.value == "<<" and not key.style:
                raise _wrong(key, "`<<` is not read: write out what it would merge")
            found[key.value] = self.value(inner, depth + 1)
        return found


def _scalar(kind: str, node: Any) -> Any:
    text: str = node.value
    match kind:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            if len(text) > 400:
                raise _wrong(node, "a number is outside the range of a 64-bit float")
            return int(text)
        case "float":
            return Decimal(text)
    return text


def _wrong(node: Any, message: str) -> Invalid:
    return Invalid(f"line {node.start_mark.line + 1}: {message}", code="invalid_yaml")


def _reason(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return " ".join(str(error).split())[:200]


# writing ------------------------------------------------------------------------------------------------------------


def _node(value: Any) -> yaml.Node:
    match value:
        case dict():
            pairs = [(_text(key, None), _node(inner)) for key, inner in value.items()]
            return yaml.MappingNode(_SCALAR + "map", pairs, flow_style=False)
        case list() | tuple():
            return yaml.SequenceNode(_SCALAR + "seq", [_node(each) for each in value], flow_style=False)
        case None:
            return yaml.ScalarNode(_SCALAR + "null", "null")
        case bool():
            return yaml.ScalarNode(_SCALAR + "bool", "true" if value else "false")
        case int():
            return yaml.ScalarNode(_SCALAR + "int", str(value))
        case float() | Decimal():
            return _fraction(Decimal(str(value)))
    return _text(value, _style(value))


def _fraction(value: Decimal) -> yaml.ScalarNode:
    """Equal numbers are written alike, whole ones without a point."""
    if value == value.to_integral_value() and abs(value) < 10**17:
        return yaml.ScalarNode(_SCALAR + "int", str(int(value)))
    return yaml.ScalarNode(_SCALAR + "float", str(value.normalize(_EVERY_DIGIT)).lower())


def _text(text: str, style: str | None) -> yaml.ScalarNode:
    escaped = any(sign in text for sign in "\x85\u2028\u2029")  # breaks to YAML, which would not keep them apart
    return yaml.ScalarNode(_SCALAR + "str", text, style='"' if escaped else style)


def _style(text: str) -> str | None:
    """Blocks for lines; quotes for what programs of YAML 1.1 would not read as text, such as 21:00 or yes."""
    if "\n" in text:
        return "|"
    is_text = _elsewhere.resolve(yaml.ScalarNode, text, (True, False)) == _SCALAR + "str"
    return None if is_text else '"'

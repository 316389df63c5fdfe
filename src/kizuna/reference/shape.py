"""What a struct takes, in words: each field with its type, default and the comment beside it."""

from __future__ import annotations

import ast
import inspect
import io
import textwrap
import tokenize
import types
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, UNSET, Struct, UnsetType

from kizuna.core.clock import Duration
from kizuna.reference.page import code, table

PLAIN: dict[Any, str] = {
    str: "text", int: "whole number", float: "number", Decimal: "number", bool: "true or false", bytes: "bytes",
    Path: "path", type(None): "null", Any: "anything", Duration: "duration", date: "date",
}  # fmt: skip
MANY = (list, tuple, set, frozenset)


class Field(Struct, frozen=True):
    """One field, by the name it has in JSON; of an object within an object `outer.inner`."""

    name: str
    type: str
    default: str  # empty where it is required
    about: str


def fields_table(struct: type[Struct], secrets: frozenset[str] = frozenset()) -> str:
    """Secrets are marked as write-only."""
    rows = [(code(each.name), each.type, each.default or "required", _about(each, secrets)) for each in fields(struct)]
    return table(("field", "type", "default", "meaning"), rows)


def _about(field: Field, secrets: frozenset[str]) -> str:
    return f"secret, write-only. {field.about}" if field.name.partition(".")[0] in secrets else field.about


def fields(struct: type[Struct], outer: str = "") -> Iterator[Field]:
    hints, comments = get_type_hints(struct, include_extras=True), _comments(struct)
    for field in msgspec.structs.fields(struct):
        hint, name = hints[field.name], outer + field.encode_name
        yield Field(name, type_text(hint), _default(field), comments.get(field.name, ""))
        inner = _struct_in(hint)
        if inner and not outer.count("."):
            yield from fields(inner, f"{name}.")


def type_text(hint: Any) -> str:
    """A type as a reader of JSON would say it."""
    origin, inner = get_origin(hint), [each for each in get_args(hint) if each is not Ellipsis]
    if hint in PLAIN:
        return PLAIN[hint]
    if origin is Annotated:
        return type_text(inner[0])
    if origin is Literal:
        return " or ".join(code(each) for each in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(type_text(each) for each in inner if each is not UnsetType))
    if origin in MANY or hint in MANY:
        return f"list of {type_text(inner[0])}" if inner else "list"
    return "object"


def _struct_in(hint: Any) -> type[Struct] | None:
    if isinstance(hint, type) and issubclass(hint, Struct):
        return hint
    return next((found for each in get_args(hint) if (found := _struct_in(each))), None)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return ""
    value: Any = field.default if field.default is not NODEFAULT else field.default_factory()  # type: ignore[misc]
    if value is UNSET:
        return "as it is"
    if isinstance(value, Path):
        value = str(value)
    return code(msgspec.json.encode(value).decode())


@cache
def _comments(struct: type[Struct]) -> dict[str, str]:
    """By field, the comment that stands beside it."""
    found: dict[str, str] = {}
    for each in reversed(struct.__mro__):
        if each is Struct or not issubclass(each, Struct):
            continue
        source = textwrap.dedent(inspect.getsource(each))
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        beside = {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}
        for node in ast.parse(source).body[0].body:  # type: ignore[attr-defined]
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.end_lineno in beside:
                found[node.target.id] = beside[node.end_lineno]
    return found

"""What msgspec says of a value that does not fit a type, as a place and what to write there instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import inspect

from kizuna.core.errors import FieldError
from kizuna.core.problems import escape

_PART = re.compile(r"\.([^.\[]+)|\[([^\]]+)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]+)`")
_MISSING = re.compile(r"Object missing required field `([^`]+)`")
_ENUM = re.compile(r"Invalid enum value")


def misfit(error: msgspec.ValidationError, shape: Any) -> FieldError:
    """Code `invalid`; `shape` is the type that the value was converted to."""
    said, _, path = str(error).partition(" - at `$")
    parts = [name or index for name, index in _PART.findall(path.rstrip("`"))]
    pointer = "".join(f"/{escape(part)}" for part in parts)
    if named := _UNKNOWN.match(said) or _MISSING.match(said):
        pointer = f"{pointer}/{escape(named[1])}"
    return FieldError(pointer, "invalid", f"{said}{hint(said, shape, parts)}")


def hint(said: str, shape: Any, parts: Sequence[str]) -> str:
    """What may stand at `parts`, to be put behind what msgspec `said`; empty where that says enough."""
    if not (is_unknown := bool(_UNKNOWN.match(said))) and not _ENUM.match(said):
        return ""
    words: dict[str, None] = {}
    for info in _within(inspect.type_info(shape), parts):
        if is_unknown and isinstance(info, inspect.StructType):
            words.update(dict.fromkeys(each.encode_name for each in info.fields))
        elif not is_unknown and isinstance(info, inspect.LiteralType):
            words.update(dict.fromkeys(str(each) for each in info.values))
        elif not is_unknown and isinstance(info, inspect.EnumType):
            words.update(dict.fromkeys(str(each.value) for each in info.cls))
    if not words:
        return ""
    return f"; known are {', '.join(sorted(words))}" if is_unknown else f"; write one of {', '.join(words)}"


def _within(info: inspect.Type, parts: Sequence[str]) -> Iterator[inspect.Type]:
    """The types that may stand at `parts`; where one of several may, all of them."""
    if isinstance(info, inspect.UnionType):
        for each in info.types:
            yield from _within(each, parts)
    elif isinstance(info, inspect.Metadata):
        yield from _within(info.type, parts)
    elif not parts:
        yield info
    elif isinstance(info, inspect.StructType):
        for each in info.fields:
            if each.encode_name == parts[0]:
                yield from _within(each.type, parts[1:])
    elif isinstance(info, inspect.ListType | inspect.VarTupleType):
        yield from _within(info.item_type, parts[1:])
    elif isinstance(info, inspect.DictType):
        yield from _within(info.value_type, parts[1:])

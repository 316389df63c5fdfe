"""The short way through a template of texts and plain `{{ a.b }}` alone; all else is left to the interpreter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from liquid import BoundTemplate, escape
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import OutputNode

from kizuna.templates.budget import NUMBER_BITS, OUTPUT_BYTES

Part = str | tuple[str, ...]  # a text, or the path to a value
_TAKEN = ("partial",)  # names that the library gives a meaning of its own


def parts_of(template: BoundTemplate) -> list[Part] | None:
    """What the template writes one after the other; None when it does anything else."""
    parts: list[Part] = []
    for node in template.nodes:
        if isinstance(node, ContentNode):
            parts.append(node.text)
        elif isinstance(node, OutputNode) and (path := _plain_path(node.expression)):
            parts.append(path)
        else:
            return None
    return parts


def _plain_path(expression: Any) -> tuple[str, ...] | None:
    if not isinstance(expression, FilteredExpression) or expression.filters or not isinstance(expression.left, Path):
        return None
    path = expression.left.path
    if path[0] in _TAKEN or not all(isinstance(segment, str) for segment in path):
        return None
    return tuple(str(segment) for segment in path)


def write(parts: Sequence[Part], variables: Mapping[str, Any], escapes: bool) -> str | None:
    """What the interpreter would write; None when a value is missing, or anything but a text or a whole number."""
    written: list[str] = []
    for part in parts:
        if isinstance(part, str):
            written.append(part)
            continue
        value = _find(variables, part)
        if type(value) is int and value.bit_length() <= NUMBER_BITS:
            value = str(value)
        elif type(value) is not str:
            return None
        written.append(escape(value) if escapes else value)
    whole = "".join(written)
    return whole if 4 * len(whole) <= OUTPUT_BYTES else None  # near the limit the interpreter counts bytes


def _find(value: Any, path: tuple[str, ...]) -> Any:
    for segment in path:
        if not isinstance(value, Mapping):
            return None
        try:
            value = value[segment]
        except KeyError:
            return None
    return value

"""Text of a rule on its way into SQL: quoted, always."""

from __future__ import annotations

import itertools
from collections.abc import Callable


def literal(text: str) -> str:
    """A string constant."""
    return "'" + text.replace("'", "''") + "'"


def json_path(path: tuple[str, ...]) -> str:
    """A path as a constant: names quoted, `*` any element of a list."""
    parts = ["[*]" if part == "*" else '."' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in path]
    return literal("$" + "".join(parts))


_names = itertools.count()


def let(value: str, body: Callable[[str], str]) -> str:
    """`body` of a name for `value`, which is then worked out once."""
    name = fresh()
    return f"(list_transform([{value}], lambda {name}: {body(name)})[1])"


def fresh() -> str:
    """A name no other lambda of the query has."""
    return f"v{next(_names)}"

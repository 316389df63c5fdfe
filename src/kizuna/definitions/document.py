"""One definition as it is written down, and the order in which its words are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct

# What the database keeps has lost the order in which it was written; people look for these first.
FIRST = (
    "id", "name", "title", "kind", "channel", "format", "subject", "segment", "entry", "on", "audience", "exit",
    "goal", "event", "property", "trait", "did", "did_not", "when", "send", "template",
)  # fmt: skip
_PLACES = {word: place for place, word in enumerate(FIRST)}


class Document(Struct, frozen=True):
    """A definition somebody wants to rule, or with `is_draft` to be kept as a draft."""

    kind: str
    name: str
    body: dict[str, Any]
    place: str = ""  # the file, or the pointer in the request, that says so; errors begin with it
    is_draft: bool = False
    folder: Path | None = None  # where its file lies, and files that it names; None: it came without


def ordered(value: Any) -> Any:
    """The same value with its keys in the order for reading."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: _PLACES.get(key, len(FIRST)))  # stable: the others as stored
        return {key: ordered(value[key]) for key in keys}
    return [ordered(each) for each in value] if isinstance(value, list) else value

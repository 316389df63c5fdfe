"""Feeds carry a workspace's log out again, in its order: to a web hook, to files, to object storage.

Adding a target is adding one file to `targets/`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Protocol

from msgspec import Struct

from kizuna.feeds.entry import Entry
from kizuna.providers.http import Outside


class Place(Struct, frozen=True):
    """From where a target works: whose feed it is, where files may lie, and how the outside is asked."""

    workspace: int
    name: str
    exports: Path
    outside: Outside


class Piece(Struct, frozen=True):
    """Entries that follow each other in the log. The same number always holds the same entries."""

    number: int
    entries: Sequence[Entry]


class Taken(Struct, frozen=True):
    """The whole piece is with them; `refused` are entries that they will never take, with what they said."""

    refused: Sequence[tuple[Entry, str]] = ()


class Later(Struct, frozen=True):
    """It cannot be taken now. `is_final`: nor ever, unless somebody mends the feed."""

    reason: str
    after: int | None = None  # seconds that they ask us to wait
    is_final: bool = False


class Target(Protocol):
    """What each file of `targets/` offers as `target`."""

    name: ClassVar[str]
    settings: ClassVar[type[Struct]]
    secrets: ClassVar[frozenset[str]]
    gathers: ClassVar[bool]  # whether entries wait until there are many, or long enough

    def made(self) -> dict[str, Any]:
        """Secrets that we make where the user gave none; they are shown once."""
        ...

    def carry(self, piece: Piece, settings: Any, place: Place, done: set[str]) -> Taken | Later:
        """Hand a piece over. `done` are ids of entries taken in an earlier try of it; what is taken now is added."""
        ...


@cache
def all_targets() -> dict[str, Target]:
    from kizuna.feeds import targets

    modules = [importlib.import_module(f"{targets.__name__}.{m.name}") for m in pkgutil.iter_modules(targets.__path__)]
    return {module.target.name: module.target for module in modules}

"""Kinds of definitions that are kept as files: each file of this folder is one. Adding a kind is adding its file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.definitions.difference import Change
from kizuna.definitions.document import Document
from kizuna.definitions.store import Key, Ruling
from kizuna.engine.slice import Workspace
from kizuna.events.publish import publish


class Scene(Struct, frozen=True):
    """What a kind may look at and work with; all of it in one transaction."""

    conn: AsyncConnection[Any]
    workspace: Workspace
    secret: str  # KIZUNA_SECRET, if set
    ruling: Mapping[Key, Ruling]
    target: Mapping[Key, dict[str, Any]]  # the bodies that are to rule, by kind and name


class Saved(Struct, frozen=True):
    """What was written beside a definition, and what its own file says then."""

    document: Document
    file: str | None = None  # its name; None: nothing was written


class Kind:
    """What each file of this package offers as `kind`, where it differs: published as written, naming nothing.

    Bodies are as `normal` makes them, but for what is checked.
    """

    name: ClassVar[str]
    folder: ClassVar[str]
    rank: ClassVar[int]  # lower ones are published first
    has_drafts: ClassVar[bool] = False

    def written(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """A stored body as a file says it: without secrets, and without what goes without saying."""
        return body

    def normal(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """What a file says as it would be stored; must take any object."""
        return body

    def uses(self, body: dict[str, Any]) -> set[Key]:
        """The definitions it names; must take any object."""
        return set()

    async def beside(self, document: Document, scene: Scene) -> list[Change]:
        """How what its files hold differs from what is held; of one that cannot be read, that it is to be checked."""
        return []

    async def save_beside(self, document: Document, folder: Path, scene: Scene) -> Saved:
        """Write the files that it names into the folder of its kind, where they do not say the same already."""
        return Saved(document)

    async def check(self, document: Document, scene: Scene) -> None:
        """Raises `Invalid`, with pointers into the body, for what could not be published."""
        raise NotImplementedError

    async def warnings(self, document: Document, scene: Scene) -> list[str]:
        """What may be published, and somebody should look at first."""
        return []

    async def check_removal(self, name: str, scene: Scene) -> None:
        """Raises `Invalid` for one that may not go now."""
        return

    async def publish(self, document: Document, scene: Scene) -> int:
        """Make it rule; the position."""
        _, position = await publish(scene.conn, scene.workspace, self.name, document.name, document.body)
        return position

    async def remove(self, name: str, scene: Scene) -> int:
        """End its rule; the position."""
        _, position = await publish(scene.conn, scene.workspace, self.name, name, None)
        return position


@cache
def all_kinds() -> dict[str, Kind]:
    """Every kind by name, in the order of publishing."""
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return {kind.name: kind for kind in sorted((module.kind for module in modules), key=lambda kind: kind.rank)}


@cache
def by_folder() -> dict[str, Kind]:
    return {kind.folder: kind for kind in all_kinds().values()}

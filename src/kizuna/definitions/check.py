"""Look at all that is wanted before anything is changed: every error, each with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import AsyncConnection

from kizuna.core.errors import FieldError, Invalid, Unprocessable
from kizuna.definitions.difference import Change
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Scene, all_kinds
from kizuna.definitions.standing import Beside, Standing, entries
from kizuna.definitions.store import Key
from kizuna.engine.slice import Workspace

LONGEST_NAME = 100
MOST = 5_000


def scene_of(
    conn: AsyncConnection[Any], workspace: Workspace, secret: str, found: Standing, wanted: Iterable[Document]
) -> Scene:
    target = {(each.kind, each.name): each.body for each in wanted if not each.is_draft}
    return Scene(conn, workspace, secret, found.ruling, target)


async def beside(scene: Scene, wanted: Sequence[Document]) -> dict[Key, list[Change]]:
    """Of each definition that names files, how they differ."""
    asked = [each for each in wanted if each.folder is not None and not each.is_draft]
    return {(each.kind, each.name): await all_kinds()[each.kind].beside(each, scene) for each in asked}


async def check(scene: Scene, found: Standing, wanted: Sequence[Document], files: Beside | None = None) -> None:
    """Raises `Unprocessable` with every error of the documents that would change something."""
    if not wanted:
        raise Invalid("there are no definitions here: removing all of them is not done this way", code="no_definitions")
    if len(wanted) > MOST:
        raise Invalid(f"more than {MOST} definitions at once", code="too_large")
    errors: list[FieldError] = []
    listed = entries(found, wanted, files)
    changing = {(each.kind, each.name, each.is_draft) for each in listed if each.action in ("created", "changed")}
    removed = {(each.kind, each.name) for each in listed if each.action == "removed"}
    counted = Counter((each.kind, each.name, each.is_draft) for each in wanted)
    for document in wanted:
        key = (document.kind, document.name, document.is_draft)
        if counted[key] > 1:
            errors.append(FieldError(document.place, "twice", f"another document is {document.kind} {document.name!r}"))
        found_here = _named(document) or (await _checked(document, scene) if key in changing else [])
        errors += found_here
        lost = sorted(all_kinds()[document.kind].uses(document.body) & removed) if not found_here else []
        errors += [
            FieldError(document.place, "in_use", f"it needs the {kind} {name!r}, which would be removed")
            for kind, name in lost
            if not document.is_draft
        ]
    for kind, name in sorted(removed):
        try:
            await all_kinds()[kind].check_removal(name, scene)
        except Invalid as error:
            errors.append(FieldError(f"{all_kinds()[kind].folder}/{name}", error.code, str(error)))
    if errors:
        number = f"{len(errors)} errors" if len(errors) > 1 else "an error"
        raise Unprocessable(f"nothing was changed: {number}", code="invalid_definitions", errors=errors)


def _named(document: Document) -> list[FieldError]:
    name = document.name
    if name.strip() and len(name) <= LONGEST_NAME and name.isprintable():
        return []
    return [FieldError(document.place, "invalid_name", f"a name has 1 to {LONGEST_NAME} printable characters")]


async def _checked(document: Document, scene: Scene) -> list[FieldError]:
    try:
        await all_kinds()[document.kind].check(document, scene)
    except Invalid as error:
        if not error.errors:
            return [FieldError(document.place, error.code, str(error))]
        return [FieldError(document.place + each.pointer, each.code, each.message) for each in error.errors]
    return []

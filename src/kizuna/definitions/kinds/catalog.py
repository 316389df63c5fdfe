"""Catalogs: `catalogs/NAME.yaml` declares fields and selections; without a file of `items` those are data, and stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import msgspec

from kizuna.catalogs import store
from kizuna.catalogs.catalog import read
from kizuna.catalogs.item_file import digests_of
from kizuna.catalogs.write import differing, save_file, take_file
from kizuna.core.errors import Invalid
from kizuna.definitions.difference import Change
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Saved, Scene


class CatalogKind(Kind):
    name: ClassVar[str] = "catalog"
    folder: ClassVar[str] = "catalogs"
    rank: ClassVar[int] = 8

    def written(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in body.items() if value}

    def normal(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"fields": {}, "selections": [], **body}

    async def beside(self, document: Document, scene: Scene) -> list[Change]:
        try:
            catalog = read(document.body)
            if document.folder is None or not catalog.items:
                return []
            path = document.folder / catalog.items
            found = await differing(scene.conn, scene.workspace.id, document.name, path, catalog)
        except Invalid:
            return [Change("items")]
        said = f"{len(found.new)} new, {len(found.changed)} changed, {len(found.gone)} gone"
        count = found.held + len(found.new) - len(found.gone)
        return [Change("items", f"{found.held} items", f"{count} items: {said}")] if found.is_any else []

    async def save_beside(self, document: Document, folder: Path, scene: Scene) -> Saved:
        catalog = read(document.body)
        if not catalog.items:
            return Saved(document)
        file, is_new = await save_file(scene.conn, scene.workspace.id, document.name, folder / catalog.items, catalog)
        body = {**document.body, "items": file.name}
        return Saved(msgspec.structs.replace(document, body=body), file.name if is_new else None)

    async def check(self, document: Document, scene: Scene) -> None:
        catalog = read(document.body)
        if document.folder is not None and catalog.items:
            digests_of(document.folder / catalog.items, catalog)

    async def publish(self, document: Document, scene: Scene) -> int:
        position = await super().publish(document, scene)
        catalog = read(document.body)
        if document.folder is not None and catalog.items:
            await take_file(scene.conn, scene.workspace.id, document.name, document.folder / catalog.items)
        return position

    async def remove(self, name: str, scene: Scene) -> int:
        await store.clear(scene.conn, scene.workspace.id, name)
        return await super().remove(name, scene)


kind = CatalogKind()

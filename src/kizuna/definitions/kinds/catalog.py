"""Catalogs: `catalogs/NAME.yaml` declares fields and selections; its items are data, and stay."""

from __future__ import annotations

from typing import Any, ClassVar

from kizuna.catalogs import store
from kizuna.catalogs.catalog import read
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Scene


class CatalogKind(Kind):
    name: ClassVar[str] = "catalog"
    folder: ClassVar[str] = "catalogs"
    rank: ClassVar[int] = 8

    def written(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in body.items() if value}

    def normal(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"fields": {}, "selections": [], **body}

    async def check(self, document: Document, scene: Scene) -> None:
        read(document.body)

    async def remove(self, name: str, scene: Scene) -> int:
        await store.clear(scene.conn, scene.workspace.id, name)
        return await super().remove(name, scene)


kind = CatalogKind()

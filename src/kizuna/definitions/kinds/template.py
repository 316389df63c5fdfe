"""Templates: `templates/NAME.yaml`, with all locale variants."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Scene
from kizuna.definitions.store import Key
from kizuna.events.publish import publish
from kizuna.templates import definition
from kizuna.templates.examine import examine


class TemplateKind(Kind):
    name: ClassVar[str] = "template"
    folder: ClassVar[str] = "templates"
    rank: ClassVar[int] = 10
    has_drafts: ClassVar[bool] = False

    def written(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return body

    def normal(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return body

    def uses(self, body: dict[str, Any]) -> set[Key]:
        return set()

    async def check(self, document: Document, scene: Scene) -> None:
        template = definition.read(document.body)
        await asyncio.to_thread(examine, template)

    async def publish(self, document: Document, scene: Scene) -> int:
        _, position = await publish(scene.conn, scene.workspace, self.name, document.name, document.body)
        return position

    async def remove(self, name: str, scene: Scene) -> int:
        _, position = await publish(scene.conn, scene.workspace, self.name, name, None)
        return position


kind = TemplateKind()

"""Topics: `topics/NAME.yaml`, with what `neutral` means for each."""

from __future__ import annotations

from typing import Any, ClassVar

from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Scene
from kizuna.definitions.store import Key
from kizuna.events.publish import publish
from kizuna.messages.topic import parse


class TopicKind(Kind):
    name: ClassVar[str] = "topic"
    folder: ClassVar[str] = "topics"
    rank: ClassVar[int] = 5
    has_drafts: ClassVar[bool] = False

    def written(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return body

    def normal(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return body

    def uses(self, body: dict[str, Any]) -> set[Key]:
        return set()

    async def check(self, document: Document, scene: Scene) -> None:
        parse(document.name, document.body)

    async def publish(self, document: Document, scene: Scene) -> int:
        _, position = await publish(scene.conn, scene.workspace, self.name, document.name, document.body)
        return position

    async def remove(self, name: str, scene: Scene) -> int:
        _, position = await publish(scene.conn, scene.workspace, self.name, name, None)
        return position


kind = TopicKind()

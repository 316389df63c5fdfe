"""Topics: `topics/NAME.yaml`, with what `neutral` means for each."""

from __future__ import annotations

from typing import ClassVar

from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Scene
from kizuna.messages.topic import parse


class TopicKind(Kind):
    name: ClassVar[str] = "topic"
    folder: ClassVar[str] = "topics"
    rank: ClassVar[int] = 5

    async def check(self, document: Document, scene: Scene) -> None:
        parse(document.name, document.body)


kind = TopicKind()

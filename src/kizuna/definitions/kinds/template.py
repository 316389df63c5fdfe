"""Templates: `templates/NAME.yaml`, with all locale variants."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Scene
from kizuna.templates import definition
from kizuna.templates.examine import examine
from kizuna.templates.spoken import heard
from kizuna.voice.voice import KIND, read


class TemplateKind(Kind):
    name: ClassVar[str] = "template"
    folder: ClassVar[str] = "templates"
    rank: ClassVar[int] = 10

    async def check(self, document: Document, scene: Scene) -> None:
        template = definition.read(document.body)
        await asyncio.to_thread(examine, template)

    async def warnings(self, document: Document, scene: Scene) -> list[str]:
        """By the voice that is to rule."""
        voice = scene.target.get((KIND, KIND))
        template = definition.read(document.body)
        return await asyncio.to_thread(heard, read(voice), template) if voice is not None else []


kind = TemplateKind()

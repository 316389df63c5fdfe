"""Templates: `templates/NAME.yaml`, with all locale variants."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Scene
from kizuna.templates import definition
from kizuna.templates.examine import examine


class TemplateKind(Kind):
    name: ClassVar[str] = "template"
    folder: ClassVar[str] = "templates"
    rank: ClassVar[int] = 10

    async def check(self, document: Document, scene: Scene) -> None:
        template = definition.read(document.body)
        await asyncio.to_thread(examine, template)


kind = TemplateKind()

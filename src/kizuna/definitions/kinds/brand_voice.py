"""The brand voice: `brand_voice/brand_voice.yaml`, the only one."""

from __future__ import annotations

from typing import ClassVar

from kizuna.core.errors import FieldError, Invalid
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Scene
from kizuna.voice.voice import KIND, read


class BrandVoiceKind(Kind):
    name: ClassVar[str] = KIND
    folder: ClassVar[str] = KIND
    rank: ClassVar[int] = 7

    async def check(self, document: Document, scene: Scene) -> None:
        if document.name != KIND:
            problem = FieldError("", "invalid_name", f"a workspace has one: {KIND}/{KIND}.yaml")
            raise Invalid("there is one brand voice", code="invalid_name", errors=[problem])
        read(document.body)


kind = BrandVoiceKind()

"""Seed lists: `seed-lists/NAME.yaml`, addresses of our own that test sends may go to."""

from __future__ import annotations

from typing import ClassVar

from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Scene
from kizuna.messages.seed_list import parse


class SeedListKind(Kind):
    name: ClassVar[str] = "seed_list"
    folder: ClassVar[str] = "seed-lists"
    rank: ClassVar[int] = 6

    async def check(self, document: Document, scene: Scene) -> None:
        parse(document.name, document.body)


kind = SeedListKind()

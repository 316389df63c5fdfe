"""Promotions: `promotions/NAME.yaml` says to whom and when; codes are data, and stay."""

from __future__ import annotations

from typing import Any, ClassVar

from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Scene
from kizuna.promotions.promotion import check_name, read


class PromotionKind(Kind):
    name: ClassVar[str] = "promotion"
    folder: ClassVar[str] = "promotions"
    rank: ClassVar[int] = 9

    def normal(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"per_profile": 1, **body}

    async def check(self, document: Document, scene: Scene) -> None:
        check_name(document.name)
        read(document.body)


kind = PromotionKind()

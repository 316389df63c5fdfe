"""Campaigns: `campaigns/NAME.yaml`. Publishing one launches nothing."""

from __future__ import annotations

from typing import Any, ClassVar

from kizuna.campaigns.definition import parse
from kizuna.core.errors import FieldError, Unprocessable
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Scene
from kizuna.definitions.store import Key
from kizuna.events.publish import publish


class CampaignKind:
    name: ClassVar[str] = "campaign"
    folder: ClassVar[str] = "campaigns"
    rank: ClassVar[int] = 50
    has_drafts: ClassVar[bool] = False

    def written(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return body

    def normal(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return body

    def uses(self, body: dict[str, Any]) -> set[Key]:
        said = body.get("send")
        variants = body.get("variants")
        sends = [said, *(variants if isinstance(variants, list) else [])]
        templates = {send.get("template") for send in sends if isinstance(send, dict)}
        named = {("template", name) for name in templates if isinstance(name, str)}
        segment = body.get("segment")
        return named | {("segment", segment)} if isinstance(segment, str) else named

    async def check(self, document: Document, scene: Scene) -> None:
        campaign = parse(document.body)
        if ("segment", campaign.segment) not in scene.target:
            problem = FieldError("/segment", "unknown_segment", f"there is no segment {campaign.segment!r}")
            raise Unprocessable(f"no segment {campaign.segment!r}", code="unknown_segment", errors=[problem])

    async def publish(self, document: Document, scene: Scene) -> int:
        _, position = await publish(
            scene.conn, scene.workspace, self.name, document.name, document.body, status="ready"
        )
        return position

    async def remove(self, name: str, scene: Scene) -> int:
        _, position = await publish(scene.conn, scene.workspace, self.name, name, None)
        return position


kind = CampaignKind()

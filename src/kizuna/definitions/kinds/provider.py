"""Providers: `providers/NAME.yaml` without secrets; those that are set stay as they are."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from kizuna.core.errors import FieldError, Invalid
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Scene
from kizuna.events.publish import publish
from kizuna.providers import all_providers
from kizuna.providers.setting import Setting, sealed

FIELDS = ("kind", "channel", "settings", "rate", "lane", "warm_up", "domains")
UNSAID: dict[str, Any] = {"rate": 0, "lane": None, "settings": {}, "warm_up": None, "domains": {}}


class ProviderKind(Kind):
    name: ClassVar[str] = "provider"
    folder: ClassVar[str] = "providers"
    rank: ClassVar[int] = 20

    def written(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        said = {key: body[key] for key in FIELDS if key in body}
        return {key: value for key, value in said.items() if key not in UNSAID or value != UNSAID[key]}

    def normal(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        known = all_providers().get(str(body.get("kind")))
        return {"channel": (known and known.channel) or "email", **UNSAID, **body}

    async def check(self, document: Document, scene: Scene) -> None:
        await self._stored(document, scene)

    async def publish(self, document: Document, scene: Scene) -> int:
        body = await self._stored(document, scene)
        _, position = await publish(scene.conn, scene.workspace, self.name, document.name, body)
        return position

    async def _stored(self, document: Document, scene: Scene) -> dict[str, Any]:
        try:
            setting = msgspec.convert(document.body, Setting)
        except msgspec.ValidationError as error:
            raise Invalid(f"this is no provider: {error}", code="invalid_provider") from None
        known = all_providers().get(setting.kind)
        told = sorted(setting.settings.keys() & known.secrets) if known else []
        if told:
            errors = [
                FieldError(f"/settings/{key}", "secret", "files keep no secrets: set it with PUT, it stays")
                for key in told
            ]
            raise Invalid("secrets do not belong into files", code="secret", errors=errors)
        return (await sealed(scene.conn, scene.workspace.id, document.name, setting, scene.secret)).body


kind = ProviderKind()

"""Feeds: `feeds/NAME.yaml` without secrets; those that are set stay as they are."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from kizuna.accounts import store as accounts
from kizuna.core.errors import FieldError, Invalid
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Scene
from kizuna.events.publish import publish
from kizuna.feeds import store
from kizuna.feeds.feed import Feed, check, sealed, written
from kizuna.providers import vault

UNSAID: dict[str, Any] = {"events": ["*"], "from": "now", "pieces": {"items": 10_000, "every": "5m"}}


class FeedKind(Kind):
    name: ClassVar[str] = "feed"
    folder: ClassVar[str] = "feeds"
    rank: ClassVar[int] = 90

    def written(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in written(body).items() if key not in UNSAID or value != UNSAID[key]}

    def normal(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return {**UNSAID, **body}

    async def check(self, document: Document, scene: Scene) -> None:
        await self._stored(document, scene)

    async def publish(self, document: Document, scene: Scene) -> int:
        body = await self._stored(document, scene)
        _, position = await publish(scene.conn, scene.workspace, self.name, document.name, body)
        await store.begin(scene.conn, scene.workspace.id, document.name, at_start=body["from"] == "start")
        return position

    async def remove(self, name: str, scene: Scene) -> int:
        await store.drop(scene.conn, scene.workspace.id, name)
        return await super().remove(name, scene)

    async def _stored(self, document: Document, scene: Scene) -> dict[str, Any]:
        try:
            feed = msgspec.convert(document.body, Feed)
        except msgspec.ValidationError as error:
            raise Invalid(f"this is no feed: {error}", code="invalid_feed") from None
        if told := sorted(feed.to.keys() & check(document.name, feed).secrets):
            errors = [
                FieldError(f"/to/{key}", "secret", "files keep no secrets: set it with PUT, it stays") for key in told
            ]
            raise Invalid("secrets do not belong into files", code="secret", errors=errors)
        secrets = vault.secrets_of(await accounts.secret(scene.conn), scene.secret)
        before = (await store.bodies(scene.conn, scene.workspace.id)).get(document.name, {})
        body, _ = sealed(document.name, feed, before, secrets, scene.workspace.id)
        return body


kind = FeedKind()

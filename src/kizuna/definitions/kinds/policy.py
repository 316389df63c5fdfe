"""The policy: `policy/policy.yaml`, the only one."""

from __future__ import annotations

from typing import Any, ClassVar

from kizuna.core.errors import FieldError, Invalid
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Scene
from kizuna.definitions.kinds.template import templates_of
from kizuna.definitions.store import Key
from kizuna.events.publish import publish
from kizuna.messages.policy import parse
from kizuna.templates import legal


class PolicyKind(Kind):
    """Messages that a cap held back are looked at again under each new one, and go when there is none."""

    name: ClassVar[str] = "policy"
    folder: ClassVar[str] = "policy"
    rank: ClassVar[int] = 6

    def uses(self, body: dict[str, Any]) -> set[Key]:
        caps = body.get("caps")
        topics = [each.get("topic") for each in caps if isinstance(each, dict)] if isinstance(caps, list) else []
        laws = body.get("laws")
        topics += [each.get("topic") for each in laws if isinstance(each, dict)] if isinstance(laws, list) else []
        found = {("topic", topic) for topic in topics if isinstance(topic, str)}
        double = body.get("double_opt_in")
        template = double.get("template") if isinstance(double, dict) else None
        return found | ({("template", template)} if isinstance(template, str) else set())

    async def check(self, document: Document, scene: Scene) -> None:
        if document.name != self.name:
            problem = FieldError("", "invalid_name", f"a workspace has one policy: {self.folder}/{self.name}.yaml")
            raise Invalid("there is one policy", code="invalid_name", errors=[problem])
        legal.check(templates_of(scene), parse(document.body).terms)

    async def publish(self, document: Document, scene: Scene) -> int:
        _, position = await publish(scene.conn, scene.workspace, self.name, self.name, document.body, sweep="messages")
        return position

    async def remove(self, name: str, scene: Scene) -> int:
        _, position = await publish(scene.conn, scene.workspace, self.name, name, None, sweep="messages")
        return position


kind = PolicyKind()

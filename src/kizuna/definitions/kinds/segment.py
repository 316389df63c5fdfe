"""Segments: `segments/NAME.yaml` with `title` and `where`."""

from __future__ import annotations

from typing import Any, ClassVar

from kizuna.core.errors import FieldError, Invalid
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Scene
from kizuna.definitions.store import Key
from kizuna.events.publish import publish
from kizuna.segments.program import check_references
from kizuna.segments.rule import Rule, parse, segments_of

FIELDS = ("title", "where")


class SegmentKind:
    name: ClassVar[str] = "segment"
    folder: ClassVar[str] = "segments"
    rank: ClassVar[int] = 30
    has_drafts: ClassVar[bool] = False

    def written(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in body.items() if key != "title" or value != name}

    def normal(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "title": body.get("title") or name}

    def uses(self, body: dict[str, Any]) -> set[Key]:
        rule = readable(body)
        return {(self.name, asked) for asked in segments_of(rule)} if rule else set()

    async def check(self, document: Document, scene: Scene) -> None:
        errors = [FieldError(f"/{key}", "unknown", "not known here") for key in document.body if key not in FIELDS]
        if "where" not in document.body:
            errors.append(FieldError("/where", "missing", "write the rule"))
        if not isinstance(document.body.get("title", ""), str):
            errors.append(FieldError("/title", "invalid", "a text"))
        if errors:
            raise Invalid("this is no segment", errors=errors)
        rules = {
            name: rule for (kind, name), body in scene.target.items() if kind == self.name and (rule := readable(body))
        }
        check_references({**rules, document.name: parse(document.body["where"])}, document.name)

    async def publish(self, document: Document, scene: Scene) -> int:
        _, position = await publish(scene.conn, scene.workspace, self.name, document.name, document.body)
        return position

    async def remove(self, name: str, scene: Scene) -> int:
        _, position = await publish(scene.conn, scene.workspace, self.name, name, None)
        return position


def readable(body: dict[str, Any]) -> Rule | None:
    """The rule, where it can be read."""
    try:
        return parse(body["where"]) if "where" in body else None
    except Invalid:
        return None


kind = SegmentKind()

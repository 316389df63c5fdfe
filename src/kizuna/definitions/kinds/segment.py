"""Segments: `segments/NAME.yaml` with `title` and `where`, or `list: uploaded` for one whose entries are data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kizuna.core.errors import FieldError, Invalid
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Scene
from kizuna.definitions.store import Key
from kizuna.events.publish import publish
from kizuna.segments import store
from kizuna.segments.program import check_references
from kizuna.segments.rule import Listed, Rule, parse, segments_of
from kizuna.segments.upload import list_of, listing

FIELDS = ("title", "where", "list")
UPLOADED = "uploaded"  # whoever is on a list is no definition: files say that there is one, its entries stay


class SegmentKind(Kind):
    name: ClassVar[str] = "segment"
    folder: ClassVar[str] = "segments"
    rank: ClassVar[int] = 30

    def written(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        said = {key: value for key, value in body.items() if key != "title" or value != name}
        return _as_list(said) if list_of(body) else said

    def normal(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        said = {**body, "title": body.get("title") or name}
        return _as_list(said) if list_of(body) else said

    def uses(self, body: dict[str, Any]) -> set[Key]:
        rule = readable(body)
        return {(self.name, asked) for asked in segments_of(rule)} if rule else set()

    async def check(self, document: Document, scene: Scene) -> None:
        errors = [FieldError(f"/{key}", "unknown", "not known here") for key in document.body if key not in FIELDS]
        if ("where" in document.body) == ("list" in document.body):
            errors.append(FieldError("/where", "missing", f"write the rule, or `list: {UPLOADED}`"))
        if document.body.get("list", UPLOADED) != UPLOADED:
            wanted = f"write `list: {UPLOADED}`; who is on it is uploaded with PUT /api/v1/segments/{{name}} and stays"
            errors.append(FieldError("/list", "entries", wanted))
        if not isinstance(document.body.get("title", ""), str):
            errors.append(FieldError("/title", "invalid", "a text"))
        if errors:
            raise Invalid("this is no segment", errors=errors)
        if "where" in document.body:
            rules = rules_of(scene.target)
            check_references({**rules, document.name: parse(document.body["where"])}, document.name)

    async def publish(self, document: Document, scene: Scene) -> int:
        body = document.body
        before = await self._list(document.name, scene)
        if "list" in body:
            body = listing(body["title"], before)
        elif before:
            await store.forget_list(scene.conn, scene.workspace.id, before)
        _, position = await publish(scene.conn, scene.workspace, self.name, document.name, body)
        return position

    async def remove(self, name: str, scene: Scene) -> int:
        if listed := await self._list(name, scene):
            await store.forget_list(scene.conn, scene.workspace.id, listed)
        _, position = await publish(scene.conn, scene.workspace, self.name, name, None)
        return position

    async def _list(self, name: str, scene: Scene) -> str | None:
        return list_of(await store.current(scene.conn, scene.workspace.id, name))


def rules_of(bodies: Mapping[Key, dict[str, Any]]) -> dict[str, Rule]:
    """The segments among them, by name, that can be read."""
    return {name: rule for (kind, name), body in bodies.items() if kind == "segment" and (rule := readable(body))}


def readable(body: dict[str, Any]) -> Rule | None:
    """The rule, where it can be read; all lists are one here, so that one that stays a list moves nobody."""
    if body.get("list") == UPLOADED or list_of(body):
        return Listed(UPLOADED)
    try:
        return parse(body["where"]) if "where" in body else None
    except Invalid:
        return None


def _as_list(body: dict[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in body.items() if key != "where"}, "list": UPLOADED}


kind = SegmentKind()

"""Journeys: `journeys/NAME.yaml` is what rules, `journeys/NAME.draft.yaml` a draft beside it or before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from kizuna.accounts import store as accounts
from kizuna.core.errors import FieldError, Invalid, Unprocessable
from kizuna.definitions.difference import same
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Scene
from kizuna.definitions.kinds.template import templates_of, terms_of
from kizuna.definitions.store import Key
from kizuna.events import publish as definitions
from kizuna.events import store as events
from kizuna.journeys import publish, store
from kizuna.journeys.definition import Journey, parse
from kizuna.journeys.program import PAUSED, STOPPED
from kizuna.messages.doubts import doubts
from kizuna.segments import rule
from kizuna.templates import legal

NAMED = (  # what a step names: the kind, the step, its word
    ("template", "send", "template"), ("topic", "send", "topic"), ("journey", "enter", "journey"),
)  # fmt: skip


class JourneyKind(Kind):
    """A journey that was stopped is as good as removed; one that is paused stays so, whatever is published."""

    name: ClassVar[str] = "journey"
    folder: ClassVar[str] = "journeys"
    rank: ClassVar[int] = 40
    has_drafts: ClassVar[bool] = True

    def written(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in body.items() if key != "name"}

    def normal(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in body.items() if key != "name" or value != name}

    def uses(self, body: dict[str, Any]) -> set[Key]:
        steps = body.get("steps")
        listed = [each for each in steps if isinstance(each, dict)] if isinstance(steps, list) else []
        named = [
            (kind, said.get(word))
            for kind, step, word in NAMED
            for each in listed
            if isinstance(said := each.get(step), dict)
        ]
        try:
            asked = segments_asked(parse(body.get("name") or "", body))
        except Invalid:
            asked = set[str]()
        named += [("segment", name) for name in asked]
        return {(kind, name) for kind, name in named if isinstance(name, str)}

    async def check(self, document: Document, scene: Scene) -> None:
        name = document.name
        if not name.strip() or any(letter in ":/" or not letter.isprintable() for letter in name):
            raise Invalid("a journey's name has printable characters, none of them : or /", code="invalid_name")
        if document.is_draft:
            return  # it may be unfinished
        journey = parse(name, document.body)
        errors = [
            FieldError(pointer, "unknown_segment", f"there is no segment {asked!r}")
            for pointer, asked in _asking(journey)
            if ("segment", asked) not in scene.target
        ]
        if errors:
            raise Unprocessable("it asks for segments that are not there", code="unknown_segment", errors=errors)
        legal.check_use(templates_of(scene), terms_of(scene), publish.marketing_templates(document.body))

    async def warnings(self, document: Document, scene: Scene) -> list[str]:
        """By the templates that are to rule; a draft may be unfinished."""
        if document.is_draft:
            return []
        return doubts(publish.wishes(parse(document.name, document.body)), templates_of(scene))

    async def publish(self, document: Document, scene: Scene) -> int:
        conn, workspace, name = scene.conn, scene.workspace, document.name
        now = await accounts.now(conn, workspace.id)
        unfinished = await store.draft(conn, workspace.id, name)
        ruling = await store.published(conn, workspace.id, name)
        await store.keep_draft(conn, workspace.id, name, document.body, now)
        if document.is_draft:
            return await events.next_position(conn)
        if ruling and ruling.status == PAUSED:
            _, position = await definitions.publish(conn, workspace, self.name, name, document.body, status=PAUSED)
        else:
            _, _, position = await publish.publish(conn, workspace, name, publish.Options())
        if ruling and unfinished and not same(unfinished, ruling.body):
            await store.keep_draft(conn, workspace.id, name, unfinished, now)  # somebody is at work on it
        return position

    async def remove(self, name: str, scene: Scene) -> int:
        _, position = await publish.change_status(scene.conn, scene.workspace, name, STOPPED)
        return position


def segments_asked(journey: Journey) -> set[str]:
    """Every segment it cannot do without."""
    return {name for _, name in _asking(journey)}


def _asking(journey: Journey) -> Iterator[tuple[str, str]]:
    """Where it names a segment; of rules inside, only that they do."""
    if journey.entry.trigger and journey.entry.trigger.segment:
        yield "/entry/on", journey.entry.trigger.segment
    yield from (("/exit", each.trigger.segment) for each in journey.exits if each.trigger and each.trigger.segment)
    for each in journey.rules():
        yield from (("", name) for name in sorted(rule.segments_of(rule.parse(each.raw))))


kind = JourneyKind()

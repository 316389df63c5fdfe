"""Templates: `templates/NAME.yaml`, with all locale variants."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import ClassVar

from kizuna.consent.terms import Terms, read_terms
from kizuna.core.errors import Invalid
from kizuna.core.problems import Problems
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Scene
from kizuna.templates import definition, legal, misspelt
from kizuna.templates.examine import examine
from kizuna.templates.spoken import heard
from kizuna.voice.voice import KIND, read


class TemplateKind(Kind):
    name: ClassVar[str] = "template"
    folder: ClassVar[str] = "templates"
    rank: ClassVar[int] = 10

    async def check(self, document: Document, scene: Scene) -> None:
        template = definition.read(document.body)
        await asyncio.to_thread(examine, template)
        legal.check(templates_of(scene) | {document.name: template}, terms_of(scene), [document.name], document.name)

    async def warnings(self, document: Document, scene: Scene) -> list[str]:
        """Words that mean nothing, and what the voice that is to rule says."""
        voice = scene.target.get((KIND, KIND))
        template = definition.read(document.body)
        found = misspelt.warnings_of(document.body)
        return found + (await asyncio.to_thread(heard, read(voice), template) if voice is not None else [])


def templates_of(scene: Scene) -> dict[str, definition.Template]:
    """All that are to rule, as far as they can be read."""
    found: dict[str, definition.Template] = {}
    for (kind, name), body in scene.target.items():
        if kind == TemplateKind.name:
            with suppress(Invalid):
                found[name] = definition.read(body)
    return found


def terms_of(scene: Scene) -> Terms:
    return read_terms(scene.target.get(("policy", "policy"), {}), Problems())


kind = TemplateKind()

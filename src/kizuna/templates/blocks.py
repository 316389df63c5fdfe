"""Content blocks: a template that others put into theirs with `{% include 'name' %}` or `{% render 'name' %}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from kizuna.templates.definition import Template

MOST_BLOCKS = 100
_NAMED = re.compile(r"\b(?:include|render)\s{1,20}(?:'([^']{1,200})'|\"([^\"]{1,200})\")")


def named(text: str) -> set[str]:
    """The names of blocks that a text puts in, as far as they are written out."""
    return {found[1] or found[2] for found in _NAMED.finditer(text)} if "include" in text or "render" in text else set()


def named_by(template: Template) -> set[str]:
    return {
        name
        for _, said in template.wordings()
        for text in (said.subject, said.body, said.text)
        if text
        for name in named(text)
    }


def bodies(blocks: Mapping[str, Template], locale: str) -> dict[str, str]:
    """As partials, in the wording for a locale."""
    return {name: template.wording(locale).body for name, template in blocks.items()}


def collect(names: Iterable[str], find: Callable[[list[str]], Mapping[str, Template]]) -> dict[str, Template]:
    """These blocks and those within them; `find` reads by name."""
    found: dict[str, Template] = {}
    wanted = set(names)
    while wanted - found.keys() and len(found) < MOST_BLOCKS:
        more = find(sorted(wanted - found.keys()))
        if not more:
            break
        found.update(more)
        wanted = {name for template in more.values() for name in named_by(template)}
    return found

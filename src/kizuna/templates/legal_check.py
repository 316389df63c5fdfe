"""Looks at the templates and the policy that rule, before one of them changes or a campaign begins."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import Any

from psycopg import AsyncConnection

from kizuna.consent import store as consents
from kizuna.consent.terms import Terms, read_terms
from kizuna.core.errors import Invalid
from kizuna.core.problems import Problems
from kizuna.templates import definition, legal, store
from kizuna.templates.blocks import named_by
from kizuna.templates.definition import Template


async def check_template(conn: AsyncConnection[Any], workspace: int, name: str, template: Template) -> None:
    """Raises `Unprocessable` where it, or a mail that it is put into, would show less than a law wants."""
    terms = await _terms(conn, workspace)
    if not legal.displayed(terms):
        return
    templates = await ruling(conn, workspace) | {name: template}
    around = [other for other, each in templates.items() if other != name and name in named_by(each)]
    legal.check(templates, terms, [name, *around], own=name)


async def check_policy(conn: AsyncConnection[Any], workspace: int, terms: Terms) -> None:
    """Raises `Unprocessable` where mails that rule show less than the laws of a new policy want."""
    if legal.displayed(terms):
        legal.check(await ruling(conn, workspace), terms)


async def check_use(conn: AsyncConnection[Any], workspace: int, names: Collection[str]) -> None:
    """As `legal.check_use`, of what rules."""
    if names and legal.displayed(terms := await _terms(conn, workspace)):
        legal.check_use(await ruling(conn, workspace), terms, names)


async def ruling(conn: AsyncConnection[Any], workspace: int) -> dict[str, Template]:
    found: dict[str, Template] = {}
    for name, body in await store.bodies(conn, workspace):
        with suppress(Invalid):
            found[name] = definition.read(body)
    return found


async def _terms(conn: AsyncConnection[Any], workspace: int) -> Terms:
    return read_terms(await consents.policy(conn, workspace), Problems())

"""The occasion that a preview stands for: to whom a template speaks, when, and with what data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.consent import store as consents
from kizuna.consent.terms import read_terms
from kizuna.core.problems import Problems
from kizuna.engine.record import decoder_of
from kizuna.engine.slice import Workspace
from kizuna.profiles.find import find
from kizuna.profiles.section import Profile
from kizuna.templates import blocks, store
from kizuna.templates.definition import Template, read
from kizuna.templates.lookups import Lookups
from kizuna.templates.render import Content, render
from kizuna.templates.variables import locale_of, of_profile, of_workspace
from kizuna.voice import store as voices
from kizuna.voice.voice import Voice

NOWHERE = "#"  # where the links of a message lead that is none
MESSAGE = dict.fromkeys(("unsubscribe_url", "preferences_url", "view_url", "confirm_url"), NOWHERE)


class Preview(Struct, forbid_unknown_fields=True):
    """What to render, and with what; `data` are top-level variables that shadow the others."""

    template: str | None = None
    inline: dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    templates: dict[str, str] | None = None  # partials by exact name
    profile: str | None = None
    event: dict[str, Any] | None = None
    locale: str | None = None


class Occasion(Struct, frozen=True, kw_only=True):
    """All that a rendering is given, and the voice in which it should speak."""

    template: Template
    variables: Mapping[str, Any]
    locale: str
    zone: str
    now: int
    partials: Mapping[str, str]
    voice: Voice | None

    def render(self, lookups: Lookups) -> Content:
        given = {"locale": self.locale, "now": self.now, "zone": self.zone, "partials": self.partials}
        return render(self.template, self.variables, **given, lookups=lookups)


async def occasion_of(conn: AsyncConnection[Any], workspace: Workspace, template: Template, asked: Preview) -> Occasion:
    """Raises `NotFound` where it is to speak to a customer who is not there."""
    shown, known = await _customer(conn, workspace.id, asked.profile) if asked.profile else ({}, Profile())
    locale = asked.locale or locale_of(shown.get("traits", {}), known)
    terms = read_terms(await consents.policy(conn, workspace.id), Problems())
    variables = {
        "profile": shown,
        "event": asked.event,
        "workspace": of_workspace(workspace, terms.sender),
        "message": {"channel": template.channel, **MESSAGE},
        "data": {},
        **(asked.data or {}),
    }
    return Occasion(
        template=template,
        variables=variables,
        locale=locale,
        zone=known.zone or workspace.zone,
        now=await accounts.now(conn, workspace.id),
        partials=await _blocks(conn, workspace.id, template, locale) | (asked.templates or {}),
        voice=await voices.current(conn, workspace.id),
    )


async def _customer(conn: AsyncConnection[Any], workspace: int, ref: str) -> tuple[dict[str, Any], Profile]:
    profile = await find(conn, workspace, ref)
    traits, raw, segments = await store.person(conn, workspace, profile)
    known = decoder_of(Profile)(raw) if raw else Profile()
    return of_profile(profile, traits, known, segments), known


async def _blocks(conn: AsyncConnection[Any], workspace: int, template: Template, locale: str) -> dict[str, str]:
    """The blocks that a template puts in, and those within them."""
    found: dict[str, Template] = {}
    wanted = blocks.named_by(template)
    while wanted - found.keys() and len(found) < blocks.MOST_BLOCKS:
        rows = await store.named(conn, workspace, sorted(wanted - found.keys()))
        if not rows:
            break
        more = {name: read(body) for name, body in rows}
        found |= more
        wanted = {name for each in more.values() for name in blocks.named_by(each)}
    return blocks.bodies(found, locale)

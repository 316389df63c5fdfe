"""HTTP of templates."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Response, get, post, put
from litestar.params import Parameter
from msgspec import Struct, to_builtins

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.consent import store as consents
from kizuna.consent.terms import read_terms
from kizuna.core import clock
from kizuna.core.errors import Invalid, NotFound
from kizuna.core.problems import Problems
from kizuna.engine.record import decoder_of
from kizuna.events.publish import publish
from kizuna.profiles.find import find
from kizuna.profiles.section import Profile
from kizuna.runtime.database import Database
from kizuna.templates import blocks, definition, misspelt, store
from kizuna.templates.braze import convert_template
from kizuna.templates.examine import examine
from kizuna.templates.extra_tags import Aborted
from kizuna.templates.legal_check import check_template
from kizuna.templates.lookups import Lookups
from kizuna.templates.mail_checks import warnings_of
from kizuna.templates.preview import Previewer
from kizuna.templates.render import Content, render
from kizuna.templates.sms_length import length_of
from kizuna.templates.sms_length import warnings_of as warnings_of_sms
from kizuna.templates.spoken import heard
from kizuna.templates.variables import locale_of, of_profile, of_workspace
from kizuna.voice import store as voices
from kizuna.voice.listen import warnings_of as warnings_of_voice

Limit = Annotated[int, Parameter(ge=1, le=1000)]


@put("/api/v1/templates/{name:str}")
async def put_template(name: str, data: dict[str, Any], caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Publish a version; refused when a wording is not Liquid that can be read."""
    data, notices = convert_template(data)
    template = definition.read(data)
    await asyncio.to_thread(examine, template)
    async with database.connection() as conn:
        await check_template(conn, caller.workspace.id, name, template)
        version, position = await publish(conn, caller.workspace, "template", name, data)
        voice = await voices.current(conn, caller.workspace.id)
    warnings = notices + misspelt.warnings_of(data) + (await asyncio.to_thread(heard, voice, template) if voice else [])
    said = {"warnings": warnings} if warnings else {}
    return Response({"name": name, "version": version, **said}, headers={"Kizuna-Position": str(position)})


@get("/api/v1/templates")
async def list_templates(
    caller: Caller, database: Database, limit: Limit = 100, cursor: str | None = None
) -> dict[str, Any]:
    """Every template by name."""
    async with database.connection() as conn:
        rows = await store.listed(conn, caller.workspace.id, cursor or "", limit)
    return {"items": [_shown(row) for row in rows], "next_cursor": rows[-1][0] if len(rows) == limit else None}


@get("/api/v1/templates/{name:str}")
async def get_template(name: str, caller: Caller, database: Database) -> dict[str, Any]:
    """One template as it was published."""
    return _shown(await _current(database, caller.workspace.id, name))


async def _current(database: Database, workspace: int, name: str) -> store.Row:
    async with database.connection() as conn:
        row = await store.current(conn, workspace, name)
    if row is None:
        raise NotFound(f"no template {name!r} in this workspace")
    return row


def _shown(row: store.Row) -> dict[str, Any]:
    name, version, body, published_at = row
    return {**body, "name": name, "version": version, "published_at": clock.show(published_at)}


class Preview(Struct, forbid_unknown_fields=True):
    """What to render, and with what; `data` are top-level variables that shadow the others."""

    template: str | None = None
    inline: dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    templates: dict[str, str] | None = None  # partials by exact name
    profile: str | None = None
    event: dict[str, Any] | None = None
    locale: str | None = None


@post("/api/v1/templates/render", status_code=200)
async def render_template(data: Preview, caller: Caller, database: Database, previewer: Previewer) -> dict[str, Any]:
    """What a template says for one customer, event and data; nothing is sent."""
    workspace = caller.workspace
    if (data.template is None) == (data.inline is None):
        raise Invalid("say either `template`, a name, or `inline`, a template", code="invalid_preview")
    body = data.inline
    if data.template is not None:
        body = (await _current(database, workspace.id, data.template))[2]
    body, notices = convert_template(body or {})
    template = definition.read(body)
    async with database.connection() as conn:
        now = await accounts.now(conn, workspace.id)
        terms = read_terms(await consents.policy(conn, workspace.id), Problems())
        shown, known = await _customer(conn, workspace.id, data.profile) if data.profile else ({}, Profile())
        locale = data.locale or locale_of(shown.get("traits", {}), known)
        partials = await _blocks(conn, workspace.id, template, locale) | (data.templates or {})
        voice = await voices.current(conn, workspace.id)
    variables: Mapping[str, Any] = {
        "profile": shown,
        "event": data.event,
        "workspace": of_workspace(workspace, terms.sender),
        "message": {
            "channel": template.channel,
            "unsubscribe_url": "#",
            "preferences_url": "#",
            "view_url": "#",
            "confirm_url": "#",
        },
        "data": {},
        **(data.data or {}),
    }
    started = time.perf_counter()
    zone = known.zone or workspace.zone

    def rendered(lookups: Lookups) -> Content:
        shown = {"locale": locale, "now": now, "zone": zone, "partials": partials}
        return render(template, variables, **shown, lookups=lookups)

    try:
        content, warned = await previewer.render(workspace.id, rendered)
    except Aborted as aborted:
        spent = round((time.perf_counter() - started) * 1000, 2)
        reason = str(aborted) or "no reason given"
        return {"content": {"body": ""}, "aborted": reason, "warnings": [*notices, f"aborted: {reason}"], "ms": spent}
    except Invalid as error:
        if not error.errors:
            await asyncio.to_thread(examine, template)  # raises with the place of a wording that cannot be read
        raise
    said: dict[str, Any] = {"subject": content.subject} if content.subject is not None else {}
    if content.push is not None:
        said["push"] = {name: value for name, value in to_builtins(content.push).items() if value}
    if content.page is not None:
        said["page"] = to_builtins(content.page)
    spent = round((time.perf_counter() - started) * 1000, 2)
    also: dict[str, Any] = {"text": await asyncio.to_thread(content.text_part)} if template.escapes else {}
    is_mail = template.channel == "email" and template.escapes
    warnings = notices + warned + content.warnings + (warnings_of(content.subject, content.body) if is_mail else [])
    if template.channel == "sms":
        length = length_of(also.get("text", content.body))
        also["sms"] = to_builtins(length)
        warnings += warnings_of_sms(length)
    if voice is not None:
        said_text, spoken = also.get("text", content.body), locale if template.locales else ""
        warnings += await asyncio.to_thread(
            warnings_of_voice, voice, spoken, template.channel, content.subject, said_text
        )
    if template.locales:
        also["locale"] = template.variant(locale) or "default"
    return {"content": {**said, "body": content.body}, **also, "warnings": warnings, "ms": spent}


async def _blocks(conn: Any, workspace: int, template: definition.Template, locale: str) -> dict[str, str]:
    """The blocks that a template puts in, and those within them."""
    found: dict[str, definition.Template] = {}
    wanted = blocks.named_by(template)
    while wanted - found.keys() and len(found) < blocks.MOST_BLOCKS:
        rows = await store.named(conn, workspace, sorted(wanted - found.keys()))
        if not rows:
            break
        more = {name: definition.read(body) for name, body in rows}
        found |= more
        wanted = {name for each in more.values() for name in blocks.named_by(each)}
    return blocks.bodies(found, locale)


async def _customer(conn: Any, workspace: int, ref: str) -> tuple[dict[str, Any], Profile]:
    profile = await find(conn, workspace, ref)
    traits, raw, segments = await store.person(conn, workspace, profile)
    known = decoder_of(Profile)(raw) if raw else Profile()
    return of_profile(profile, traits, known, segments), known


ROUTES = [put_template, list_templates, get_template, render_template]

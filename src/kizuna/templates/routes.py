"""HTTP of templates."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

from litestar import Response, get, post, put
from litestar.params import Parameter
from msgspec import to_builtins

from kizuna.accounts.caller import Caller
from kizuna.core import clock
from kizuna.core.errors import Invalid, NotFound
from kizuna.events.publish import publish
from kizuna.runtime.database import Database
from kizuna.templates import definition, misspelt, store
from kizuna.templates.beside import beside
from kizuna.templates.braze import convert_template
from kizuna.templates.examine import examine
from kizuna.templates.extra_tags import Aborted
from kizuna.templates.legal_check import check_template
from kizuna.templates.occasion import Preview, occasion_of
from kizuna.templates.preview import Previewer
from kizuna.templates.render import Content
from kizuna.templates.spoken import heard
from kizuna.voice import store as voices

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


@post("/api/v1/templates/render", status_code=200)
async def render_template(data: Preview, caller: Caller, database: Database, previewer: Previewer) -> dict[str, Any]:
    """What a template says for one customer, event and data; nothing is sent."""
    workspace = caller.workspace
    body, notices = convert_template(await _body(database, workspace.id, data))
    template = definition.read(body)
    async with database.connection() as conn:
        occasion = await occasion_of(conn, workspace, template, data)
    began = time.perf_counter()
    try:
        content, warned = await previewer.render(workspace.id, occasion.render)
    except Aborted as aborted:
        reason = str(aborted) or "no reason given"
        warnings = [*notices, f"aborted: {reason}"]
        return {"content": {"body": ""}, "aborted": reason, "warnings": warnings, "ms": _ms_since(began)}
    except Invalid as error:
        if not error.errors:
            await asyncio.to_thread(examine, template)  # raises with the place of a wording that cannot be read
        raise
    spent = _ms_since(began)
    also, more = await asyncio.to_thread(beside, occasion, content)
    warnings = [*notices, *warned, *content.warnings, *more]
    return {"content": _said(content), **also, "warnings": warnings, "ms": spent}


async def _body(database: Database, workspace: int, asked: Preview) -> dict[str, Any]:
    if asked.template is not None and asked.inline is None:
        return (await _current(database, workspace, asked.template))[2]
    if asked.inline is not None and asked.template is None:
        return asked.inline
    raise Invalid("say either `template`, a name, or `inline`, a template", code="invalid_preview")


def _ms_since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)


def _said(content: Content) -> dict[str, Any]:
    said: dict[str, Any] = {"subject": content.subject} if content.subject is not None else {}
    if content.push is not None:
        said["push"] = {name: value for name, value in to_builtins(content.push).items() if value}
    if content.page is not None:
        said["page"] = to_builtins(content.page)
    return {**said, "body": content.body}


ROUTES = [put_template, list_templates, get_template, render_template]

"""HTTP of imports: the file is the body, its map stands in the query."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.params import Parameter
from litestar.response import File

from kizuna.accounts.caller import Caller
from kizuna.core import exact_json, ids, strict_yaml
from kizuna.core.errors import Invalid, NotFound
from kizuna.imports import store
from kizuna.imports.desk import LARGEST, Imports
from kizuna.imports.show import show
from kizuna.imports.store import Import
from kizuna.runtime.database import Database

Limit = Annotated[int, Parameter(ge=1, le=1000)]
UPLOAD_SECONDS = 3600


@post("/api/v1/imports", status_code=202, request_max_body_size=LARGEST + 1, opt={"streams": True})
async def post_import(
    request: Request[Any, Any, Any], caller: Caller, imports: Imports, name: str = "", dry_run: bool = False
) -> Response[dict[str, Any]]:
    """Begin an import of the file in the body by the map in `map` (YAML or JSON); the same again goes on or is done."""
    said = request.query_params.get("map")
    if not said:
        raise Invalid("say in the query how to read the file: `map`, in YAML or JSON", code="no_map")
    document = exact_json.decode(exact_json.encode(strict_yaml.decode(said.encode())))
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            at = await imports.take(
                caller.workspace, request.stream(), Path(name).name[:200] or "upload", document, checks_only=dry_run
            )
    except TimeoutError:
        raise Invalid("the file did not arrive in time", code="slow_body") from None
    return Response(show(at), status_code=202)


@get("/api/v1/imports")
async def list_imports(caller: Caller, database: Database, limit: Limit = 100, cursor: str = "") -> dict[str, Any]:
    """Every import of the workspace, newest first."""
    before = int(cursor) if cursor.isdecimal() and len(cursor) <= 18 else 1 << 62
    async with database.connection() as conn:
        found = await store.listed(conn, caller.workspace.id, before, limit)
    return {
        "items": [show(each) for each in found],
        "next_cursor": str(found[-1].started_at) if len(found) == limit else None,
    }


@get("/api/v1/imports/{import_id:str}")
async def get_import(import_id: str, caller: Caller, database: Database) -> dict[str, Any]:
    """One import: how far it is, and how many rows were taken and rejected."""
    return show(await _found(database, caller.workspace.id, import_id))


@get("/api/v1/imports/{import_id:str}/rejected")
async def get_rejected(import_id: str, caller: Caller, database: Database, imports: Imports) -> File:
    """The rejected rows as CSV: line, code, reason, and the row; kept for a week."""
    found = await _found(database, caller.workspace.id, import_id)
    path = imports.rejects(caller.workspace.id, found.id)
    if not path.exists():
        raise NotFound("there are no rejected rows, or they were kept for a week")
    return File(path, filename=f"{import_id}.rejected.csv", media_type="text/csv")


async def _found(database: Database, workspace: int, shown: str) -> Import:
    async with database.connection() as conn:
        found = await store.current(conn, workspace, ids.read("imp", shown))
    if found is None:
        raise NotFound("no such import in this workspace")
    return found


ROUTES = [post_import, list_imports, get_import, get_rejected]

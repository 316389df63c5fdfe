"""HTTP of shelves: for browsers on any page, by write key and without cookies; and for members, what lies there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, Response, get
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.core import clock
from kizuna.core.errors import KizunaError, TooLarge
from kizuna.edge import problem
from kizuna.edge.request import BODY_SECONDS
from kizuna.events.body import read_body
from kizuna.messages import sql_shelf
from kizuna.profiles.find import find
from kizuna.runtime.database import Database
from kizuna.shelves.desk import ShelfDesk
from kizuna.shelves.show import described
from kizuna.shelves.wire import MOST_BYTES, read_acts, read_pull

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After",
    "Cache-Control": "no-store",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}
Answer = tuple[int, dict[str, Any], int | None]  # status, JSON, position of what the log heard


async def pull(request: Request[Any, Any, Any], shelf_desk: ShelfDesk) -> Response[Any]:
    """What lies ready for this browser's customer."""

    async def answer(body: bytes) -> Answer:
        asked = read_pull(body)
        workspace = await shelf_desk.workspace(asked.write_key, _address(request))
        answer, position = await shelf_desk.pull(workspace, asked)
        return 200, answer, position

    return await _open_to_all(request, answer)


async def act(request: Request[Any, Any, Any], shelf_desk: ShelfDesk) -> Response[Any]:
    """What the customer did with it."""

    async def answer(body: bytes) -> Answer:
        said = read_acts(body)
        workspace = await shelf_desk.workspace(said.write_key, _address(request))
        accepted, position = await shelf_desk.act(workspace, said.acts)
        return 202, {"accepted": accepted}, position

    return await _open_to_all(request, answer)


async def _open_to_all(request: Request[Any, Any, Any], answer: Callable[[bytes], Awaitable[Answer]]) -> Response[Any]:
    """Any page may ask and read the answer, errors too; a body of any content type is JSON, so that none preflights."""
    if request.method == "OPTIONS":
        return Response(None, status_code=204, headers=_CORS | _PREFLIGHT)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await read_body(request.stream(), request.headers.get("content-encoding", ""), MOST_BYTES)
        status, said, position = await answer(body)
    except KizunaError as error:
        refused = problem.from_kizuna(request, TooLarge(str(error)) if error.code == "too_large" else error)
        refused.headers.update(_CORS)
        return refused
    at = {"Kizuna-Position": str(position)} if position is not None else {}
    return Response(said, status_code=status, headers=_CORS | at)


def _address(request: Request[Any, Any, Any]) -> str:
    return request.client.host if request.client else ""


@get("/api/v1/profiles/{ref:str}/in-page")
async def get_shelf(ref: str, caller: Caller, database: Database) -> dict[str, Any]:
    """What lies on a customer's shelf, newest first, whether or not it may be shown at present."""
    workspace = caller.workspace.id
    async with database.connection() as conn:
        reader = await sql_shelf.reader(conn, workspace, await find(conn, workspace, ref))
        now = await accounts.now(conn, workspace)
        found = await sql_shelf.lying(conn, workspace, reader.all_of_them, now) if reader else []
    items = [
        {
            **described(each),
            "delivered_at": clock.show(each.delivered_at) if each.delivered_at is not None else None,
            "seen_at": clock.show(each.seen_at) if each.seen_at is not None else None,
            "read_at": clock.show(each.read_at) if each.read_at is not None else None,
        }
        for each in found
    ]
    return {"items": items, "next_cursor": None}


_METHODS = [HttpMethod.POST, HttpMethod.OPTIONS]
_PUBLIC = {"public": True, "ingest": True}
ROUTES = [
    HTTPRouteHandler("/in-page/pull", http_method=_METHODS, opt=_PUBLIC, status_code=200)(pull),
    HTTPRouteHandler("/in-page/acts", http_method=_METHODS, opt=_PUBLIC, status_code=202)(act),
    get_shelf,
]

"""HTTP for providers: what became of messages. The address is secret, and what is said there is signed."""

from __future__ import annotations

import time
from typing import Any

from litestar import MediaType, Request, Response, get, post

from kizuna.messages.take_reports import ReportDesk
from kizuna.providers.report import Incoming

FORM = "application/x-www-form-urlencoded"  # those who send forms would take JSON for an answer to their customer


@post("/reports/{name:str}/{token:str}", status_code=200, opt={"public": True})
async def take_reports(
    name: str, token: str, request: Request[Any, Any, Any], report_desk: ReportDesk
) -> Response[dict[str, int] | None]:
    """401 for what the provider did not sign; kinds of events that mean nothing here are taken and dropped."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    scope = request.scope
    raw = scope.get("raw_path") or scope["path"].encode()
    address = report_desk.address(raw.decode("latin-1").partition("?")[0], scope["query_string"].decode("latin-1"))
    said = Incoming(headers, await request.body(), time.time(), address)
    taken, position = await report_desk.take(name, token, said)
    shown = {} if position is None else {"Kizuna-Position": str(position)}
    if headers.get("content-type", "").startswith(FORM):
        return Response(None, status_code=204, headers=shown)
    return Response({"taken": taken}, headers=shown)


@get("/reports/{name:str}/{token:str}", media_type=MediaType.TEXT, opt={"public": True})
async def greet_provider(name: str, token: str, request: Request[Any, Any, Any], report_desk: ReportDesk) -> str:
    """Some ask first whether the address is ours, and want their challenge back."""
    return await report_desk.greet(name, token, dict(request.query_params))


ROUTES = [take_reports, greet_provider]

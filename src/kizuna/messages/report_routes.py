"""HTTP for providers: what became of messages. The address is secret, and what is said there is signed."""

from __future__ import annotations

import time
from typing import Any

from litestar import MediaType, Request, Response, get, post

from kizuna.messages.take_reports import ReportDesk
from kizuna.providers.report import Incoming


@post("/reports/{name:str}/{token:str}", status_code=200, opt={"public": True})
async def take_reports(
    name: str, token: str, request: Request[Any, Any, Any], report_desk: ReportDesk
) -> Response[dict[str, int]]:
    """401 for what the provider did not sign; kinds of events that mean nothing here are taken and dropped."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    taken, position = await report_desk.take(name, token, Incoming(headers, await request.body(), time.time()))
    return Response({"taken": taken}, headers={} if position is None else {"Kizuna-Position": str(position)})


@get("/reports/{name:str}/{token:str}", media_type=MediaType.TEXT, opt={"public": True})
async def greet_provider(name: str, token: str, request: Request[Any, Any, Any], report_desk: ReportDesk) -> str:
    """Some ask first whether the address is ours, and want their challenge back."""
    return await report_desk.greet(name, token, dict(request.query_params))


ROUTES = [take_reports, greet_provider]

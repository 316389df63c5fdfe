"""HTTP for providers: what became of messages. The address is secret, and what is said there is signed."""

from __future__ import annotations

import time
from typing import Any

from litestar import Request, Response, post

from kizuna.messages.take_reports import ReportDesk
from kizuna.providers.report import Incoming


@post("/reports/{name:str}/{token:str}", status_code=200, opt={"public": True})
async def take_reports(
    name: str, token: str, request: Request[Any, Any, Any], report_desk: ReportDesk
) -> Response[dict[str, int]]:
    """401 for what the provider did not sign; kinds of events that mean nothing here are taken and dropped."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    scope = request.scope
    raw = scope.get("raw_path") or scope["path"].encode()
    address = report_desk.address(raw.decode("latin-1").partition("?")[0], scope["query_string"].decode("latin-1"))
    said = Incoming(headers, await request.body(), time.time(), address)
    taken, position = await report_desk.take(name, token, said)
    return Response({"taken": taken}, headers={} if position is None else {"Kizuna-Position": str(position)})


ROUTES = [take_reports]

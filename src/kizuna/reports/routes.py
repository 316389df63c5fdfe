"""HTTP of reports: a mail that came back, posted as it is."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Request, Response, post
from litestar.exceptions import HTTPException

from kizuna.accounts.caller import Caller
from kizuna.core.errors import Invalid, TooLarge
from kizuna.events.log import Log
from kizuna.reports.apply import apply
from kizuna.reports.mail import MOST_BYTES
from kizuna.reports.read import read
from kizuna.reports.result import Result
from kizuna.runtime.database import Database

_MEDIA_TYPE = "message/rfc822"


@post("/reports/email", status_code=200)
async def post_mail(
    request: Request[Any, Any, Any], caller: Caller, database: Database, log: Log
) -> Response[dict[str, Any]]:
    """Say what it means and act on it, once: the same mail again changes nothing."""
    if request.content_type[0] != _MEDIA_TYPE:
        raise HTTPException(f"send one mail as `Content-Type: {_MEDIA_TYPE}`", status_code=415)
    raw = await request.body()
    if len(raw) > MOST_BYTES:
        raise TooLarge("a mail of at most 1 MB: the beginning says what happened", code="mail_too_large")
    if not raw.strip():
        raise Invalid("the body is the mail, with its headers", code="empty_mail")
    report = await asyncio.to_thread(read, raw)
    results, position = await apply(database, log, caller.workspace.id, report, raw.replace(b"\r\n", b"\n"))
    headers = {"Kizuna-Position": str(position)} if position is not None else None
    return Response({"results": [_shown(result) for result in results]}, headers=headers)


def _shown(result: Result) -> dict[str, Any]:
    return {
        "address": result.address,
        "kind": result.kind,
        "class": result.hardness,
        "reason": result.reason,
        "status": result.status,
        "reply_code": result.reply_code,
    }


ROUTES = [post_mail]

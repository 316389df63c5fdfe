"""HTTP of consent."""

from __future__ import annotations

import contextlib
from typing import Any

from litestar import Response, put

from kizuna.accounts.caller import Caller
from kizuna.consent.choose import Choice, choose
from kizuna.core.errors import NotSettled
from kizuna.events import settled
from kizuna.events.log import Log
from kizuna.profiles.find import find
from kizuna.runtime.database import Database


@put("/api/v1/profiles/{ref:str}/consent")
async def put_consent(ref: str, data: Choice, caller: Caller, database: Database, log: Log) -> Response[dict[str, Any]]:
    """Effective at once: an opt-out stops every claim from its commit on."""
    workspace = caller.workspace.id
    async with database.connection() as conn:
        profile = await find(conn, workspace, ref)
    position = await choose(database, log, workspace, profile, data)
    with contextlib.suppress(NotSettled):  # accepted it is
        await settled.wait(database, workspace, position)
    shown = {"channel": data.channel, "topic": data.topic, "state": data.state, "source": data.source}
    return Response(shown, headers={"Kizuna-Position": str(position)})


ROUTES = [put_consent]

"""HTTP of the brand voice."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, put

from kizuna.accounts.caller import Caller
from kizuna.core import clock
from kizuna.events.publish import publish
from kizuna.runtime.database import Database
from kizuna.voice import store
from kizuna.voice.voice import KIND, read


@put("/api/v1/brand-voice")
async def put_voice(data: dict[str, Any], caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Publish it whole."""
    read(data)
    async with database.connection() as conn:
        version, position = await publish(conn, caller.workspace, KIND, KIND, data)
    return Response({**data, "version": version}, headers={"Kizuna-Position": str(position)})


@get("/api/v1/brand-voice")
async def get_voice(caller: Caller, database: Database) -> dict[str, Any]:
    """As it was published; nothing is asked of texts where there is none."""
    async with database.connection() as conn:
        found = await store.row(conn, caller.workspace.id)
    if found is None:
        return {"version": None}
    version, body, published_at = found
    return {**body, "version": version, "published_at": clock.show(published_at)}


ROUTES = [put_voice, get_voice]

"""HTTP of credentials. Secrets go in and never come out."""

from __future__ import annotations

from typing import Any

from litestar import Response, delete, get, put

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.config import Config
from kizuna.core.errors import Invalid, NotFound
from kizuna.events import store as events
from kizuna.fetches import store
from kizuna.fetches.credential import Credential
from kizuna.providers import vault
from kizuna.runtime.database import Database

LONGEST_NAME = 100


@put("/api/v1/credentials/{name:str}")
async def put_credential(
    name: str, data: Credential, caller: Caller, database: Database, config: Config
) -> Response[dict[str, Any]]:
    """What `connected_content` may show as `:basic_auth name` to `hosts`, and to no other."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid(f"a credential's name has 1 to {LONGEST_NAME} printable characters", code="invalid_name")
    data.check()
    said = {"username": data.username, "password": data.password, "token": data.token}
    async with database.connection() as conn:
        secret = vault.secrets_of(await accounts.secret(conn), config.secret)[-1]
        sealed = vault.seal(secret, caller.workspace.id, {key: value for key, value in said.items() if value})
        await store.put_credential(conn, caller.workspace.id, name, data.hosts, sealed)
        position = await events.last_position(conn)
    return Response({"name": name, "hosts": data.hosts}, headers={"Kizuna-Position": str(position)})


@get("/api/v1/credentials")
async def list_credentials(caller: Caller, database: Database) -> dict[str, Any]:
    """Names and hosts; what is secret is never shown."""
    async with database.connection() as conn:
        rows = await store.credentials(conn, caller.workspace.id)
    return {"items": [{"name": name, "hosts": hosts} for name, hosts in rows], "next_cursor": None}


@delete("/api/v1/credentials/{name:str}", status_code=204)
async def delete_credential(name: str, caller: Caller, database: Database) -> None:
    """Templates that name it are refused from then on."""
    async with database.connection() as conn:
        if not await store.remove_credential(conn, caller.workspace.id, name):
            raise NotFound(f"no credential {name!r} in this workspace")


ROUTES = [put_credential, list_credentials, delete_credential]

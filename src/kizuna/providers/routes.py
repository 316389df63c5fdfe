"""HTTP of providers. Secrets go in and never come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Response, get, put

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.config import Config
from kizuna.core.errors import NotFound
from kizuna.events.publish import publish
from kizuna.providers import all_providers, store, vault
from kizuna.providers.http import HttpProvider
from kizuna.providers.reports_url import reports_url
from kizuna.providers.setting import Setting, sealed
from kizuna.runtime.database import Database


@put("/api/v1/providers/{name:str}", opt={"shown_once": ("made",)})
async def put_provider(
    name: str, data: Setting, caller: Caller, database: Database, config: Config
) -> Response[dict[str, Any]]:
    """From now on this is the provider of its channel. Secrets left out stay as they are; those that were `made` for
    others to use are told this once."""
    workspace = caller.workspace
    async with database.connection() as conn:
        setting = await sealed(conn, workspace.id, name, data, config.secret)
        version, position = await publish(conn, workspace, "provider", name, setting.body)
        secrets = vault.secrets_of(await accounts.secret(conn), config.secret)
    shown = {**_shown(name, setting.body, workspace.id, config, secrets), "version": version}
    shown |= {"made": setting.made} if setting.made else {}
    return Response(shown, headers={"Kizuna-Position": str(position)})


@get("/api/v1/providers/{name:str}")
async def get_provider(name: str, caller: Caller, database: Database, config: Config) -> dict[str, Any]:
    """One provider, without its secrets, with the address its reports go to and the DNS records it wants."""
    async with database.connection() as conn:
        body = await store.current(conn, caller.workspace.id, name)
        secrets = vault.secrets_of(await accounts.secret(conn), config.secret)
    if body is None:
        raise NotFound(f"no provider {name!r} in this workspace")
    return _shown(name, body, caller.workspace.id, config, secrets)


@get("/api/v1/providers")
async def list_providers(caller: Caller, database: Database, config: Config) -> dict[str, Any]:
    """Every provider that is set, without its secrets."""
    workspace = caller.workspace.id
    async with database.connection() as conn:
        rows = await store.listed(conn, workspace)
        secrets = vault.secrets_of(await accounts.secret(conn), config.secret)
    return {"items": [_shown(name, body, workspace, config, secrets) for name, body in rows], "next_cursor": None}


def _shown(name: str, body: dict[str, Any], workspace: int, config: Config, secrets: Sequence[bytes]) -> dict[str, Any]:
    """`secrets` names those that are set; `reports_url` is null where the provider sends no reports; `warnings`
    say what was set and will disappoint; `dns` are records to publish."""
    provider = all_providers().get(body["kind"])
    base = config.links_base
    reports = isinstance(provider, HttpProvider) and provider.has_reports
    return {
        "name": name,
        "kind": body["kind"],
        "channel": body["channel"],
        "settings": body["settings"],
        "secrets": body.get("hidden") or [],
        "rate": body.get("rate") or 0,
        "lane": body.get("lane"),
        "reports_url": reports_url(base, secrets, workspace, name) if reports else None,
        "warnings": body.get("warnings") or [],
        "dns": body.get("dns") or [],
        **(body.get("public") or {}),
    }


ROUTES = [put_provider, get_provider, list_providers]

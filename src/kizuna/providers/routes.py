"""HTTP of providers. Secrets go in and never come out."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, put
from msgspec import Struct

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.config import Config
from kizuna.core.errors import FieldError, NotFound, Unprocessable
from kizuna.events.publish import publish
from kizuna.providers import Provider, all_providers, store, vault
from kizuna.runtime.database import Database


class Setting(Struct, forbid_unknown_fields=True):
    kind: str
    channel: str = "email"
    settings: dict[str, Any] = {}  # msgspec copies it
    rate: float = 0  # messages a second; 0 is no limit
    lane: str | None = None


@put("/api/v1/providers/{name:str}")
async def put_provider(
    name: str, data: Setting, caller: Caller, database: Database, config: Config
) -> Response[dict[str, Any]]:
    """From now on this is the provider of its channel. Secrets left out stay as they are."""
    provider = _provider(data)
    workspace = caller.workspace
    async with database.connection() as conn:
        secrets = vault.secrets_of(await accounts.secret(conn), config.secret)
        before = await store.current(conn, workspace.id, name) or {}
        held: dict[str, Any] = {}
        if before.get("kind") == data.kind and before.get("sealed"):
            held = vault.unseal_any(secrets, workspace.id, before["sealed"])
        given = {key: value for key, value in data.settings.items() if key in provider.secrets and value}
        open_settings = {key: value for key, value in data.settings.items() if key not in provider.secrets}
        hidden = held | given
        _check(provider, open_settings | hidden)
        body = {
            "kind": data.kind,
            "channel": data.channel,
            "settings": open_settings,
            "sealed": vault.seal(secrets[-1], workspace.id, hidden) if hidden else None,
            "hidden": sorted(hidden),
            "rate": data.rate,
            "lane": data.lane,
        }
        version, position = await publish(conn, workspace, "provider", name, body)
    shown = {**_shown(name, body), "version": version}
    return Response(shown, headers={"Kizuna-Position": str(position)})


def _provider(data: Setting) -> Provider:
    provider = all_providers().get(data.kind)
    if provider is None:
        known = ", ".join(all_providers())
        wrong = FieldError("/kind", "unsupported", f"one of {known}")
        raise Unprocessable(f"no provider of kind {data.kind!r}", code="unsupported", errors=[wrong])
    if provider.channel not in (None, data.channel):
        wrong = FieldError("/channel", "unsupported", f"{data.kind} carries {provider.channel}")
        raise Unprocessable(f"{data.kind} does not carry {data.channel!r}", code="unsupported", errors=[wrong])
    return provider


def _check(provider: Provider, settings: dict[str, Any]) -> None:
    known = {field.encode_name for field in msgspec.structs.fields(provider.settings)}
    if unknown := sorted(settings.keys() - known):
        errors = [FieldError(f"/settings/{key}", "unknown", f"known are {', '.join(sorted(known))}") for key in unknown]
        raise Unprocessable("settings that this provider does not know", code="invalid_settings", errors=errors)
    try:
        msgspec.convert(settings, provider.settings)
    except msgspec.ValidationError as error:
        raise Unprocessable(f"settings: {error}", code="invalid_settings") from None


@get("/api/v1/providers/{name:str}")
async def get_provider(name: str, caller: Caller, database: Database) -> dict[str, Any]:
    async with database.connection() as conn:
        body = await store.current(conn, caller.workspace.id, name)
    if body is None:
        raise NotFound(f"no provider {name!r} in this workspace")
    return _shown(name, body)


@get("/api/v1/providers")
async def list_providers(caller: Caller, database: Database) -> dict[str, Any]:
    async with database.connection() as conn:
        rows = await store.listed(conn, caller.workspace.id)
    return {"items": [_shown(name, body) for name, body in rows], "next_cursor": None}


def _shown(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """`secrets` names those that are set; `reports_url` is null where the provider sends no reports."""
    return {
        "name": name,
        "kind": body["kind"],
        "channel": body["channel"],
        "settings": body["settings"],
        "secrets": body.get("hidden") or [],
        "rate": body.get("rate") or 0,
        "lane": body.get("lane"),
        "reports_url": None,
    }


ROUTES = [put_provider, get_provider, list_providers]

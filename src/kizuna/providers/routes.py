"""HTTP of providers. Secrets go in and never come out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from litestar import Response, get, post, put
from msgspec import Struct, convert, to_builtins

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.config import Config
from kizuna.core import clock
from kizuna.core.errors import FieldError, NotFound, Unprocessable
from kizuna.events.publish import publish
from kizuna.providers import all_providers, store, vault
from kizuna.providers.carry import opened
from kizuna.providers.dkim_key import ascii_name, signer
from kizuna.providers.domain_check import check_domain
from kizuna.providers.form import forms
from kizuna.providers.header import split_mailbox
from kizuna.providers.http import HttpProvider
from kizuna.providers.names import Names
from kizuna.providers.reports_url import reports_url
from kizuna.providers.setting import Setting, sealed
from kizuna.providers.warm_up import WarmUp
from kizuna.runtime.database import Database

LINKED = ("email", "sms", "line", "whatsapp", "push", "letter")  # channels whose messages carry links of ours


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
    """One provider, without its secrets, with the address its reports go to, the DNS records it wants and, where days
    are limited, what `today` allows and has used."""
    workspace = caller.workspace
    async with database.connection() as conn:
        body = await store.current(conn, workspace.id, name)
        if body is None:
            raise NotFound(f"no provider {name!r} in this workspace")
        secrets = vault.secrets_of(await accounts.secret(conn), config.secret)
        today = clock.to_local(await accounts.now(conn, workspace.id), workspace.zone).date()
        used = await store.sent_on(conn, workspace.id, name, today)
    return {**_shown(name, body, workspace.id, config, secrets), "today": _today(body, today, used)}


def _today(body: dict[str, Any], today: date, used: dict[str, int]) -> dict[str, Any] | None:
    """`allowed` is null where the day is not limited; all of it is where no day is."""
    warm_up = convert(body.get("warm_up"), WarmUp | None)
    domains = body.get("domains") or {}
    if warm_up is None and not domains:
        return None
    return {
        "date": today.isoformat(),
        "allowed": warm_up.allowed(today) if warm_up is not None else None,
        "used": used.get("", 0),
        "domains": {name: {"allowed": limit["per_day"], "used": used.get(name, 0)} for name, limit in domains.items()},
    }


@get("/api/v1/providers")
async def list_providers(caller: Caller, database: Database, config: Config) -> dict[str, Any]:
    """Every provider that is set, without its secrets."""
    workspace = caller.workspace.id
    async with database.connection() as conn:
        rows = await store.listed(conn, workspace)
        secrets = vault.secrets_of(await accounts.secret(conn), config.secret)
    return {"items": [_shown(name, body, workspace, config, secrets) for name, body in rows], "next_cursor": None}


@get("/api/v1/provider-kinds")
async def list_kinds(caller: Caller) -> dict[str, Any]:
    """Every kind of provider with the settings it takes, to draw a form from."""
    return {"items": to_builtins(forms()), "next_cursor": None}


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
        "warm_up": body.get("warm_up"),
        "domains": body.get("domains") or {},
        "reports_url": reports_url(base, secrets, workspace, name) if reports else None,
        "warnings": [*(body.get("warnings") or []), *_unreachable(body, base)],
        "dns": body.get("dns") or [],
        **(body.get("public") or {}),
    }


def _unreachable(body: dict[str, Any], base: str) -> list[FieldError]:
    """Links that open on this machine alone have no place in a mail, nor on paper."""
    is_here = urlsplit(base).hostname in ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104  # is not bound
    if not is_here or body["kind"] == "outbox" or body["channel"] not in LINKED:
        return []
    advice = f"links in these messages begin with {base}, which opens on this machine only: set KIZUNA_PUBLIC_URL"
    return [FieldError("", "local_links", advice)]


class Check(Struct, forbid_unknown_fields=True):
    """`host` sends the mail: an address, or the domain that a provider wants included in SPF."""

    host: str | None = None


@post("/api/v1/providers/{name:str}/check", status_code=200)
async def check_provider(
    name: str, caller: Caller, database: Database, config: Config, data: Check | None = None
) -> dict[str, Any]:
    """What the DNS says of the sender's domain now: each record as it should be, as it is, and what to do."""
    workspace = caller.workspace.id
    async with database.connection() as conn:
        body = await store.current(conn, workspace, name)
        secrets = vault.secrets_of(await accounts.secret(conn), config.secret)
    if body is None:
        raise NotFound(f"no provider {name!r} in this workspace")
    provider = all_providers().get(body["kind"])
    settings = opened(secrets, workspace, body, provider) if provider is not None else None
    sender = getattr(settings, "sender", None)
    if body["channel"] != "email" or not isinstance(sender, str) or "@" not in sender:
        raise Unprocessable("only providers of mail with a `from` have a domain to check", code="no_domain")
    domain = ascii_name(split_mailbox(sender)[1].rpartition("@")[2])
    signers = [signer(key) for key in getattr(settings, "dkim", ())]
    servers = [each.strip() for each in config.dns_servers.split(",") if each.strip()]
    host = data.host if data is not None else None
    records = await asyncio.to_thread(lambda: check_domain(domain, signers, Names(servers).ask, host))
    return {"domain": domain, "ok": all(each.ok for each in records), "records": to_builtins(records)}


ROUTES = [put_provider, get_provider, list_providers, list_kinds, check_provider]

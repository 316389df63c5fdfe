"""A provider as it is set: read, checked, its secrets sealed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.core.errors import FieldError, Unprocessable
from kizuna.core.shape import misfit
from kizuna.providers import Checked, MakesSecrets, Particular, Provider, ShowsSecrets, all_providers, store, vault
from kizuna.providers.warm_up import DomainLimit, WarmUp, problems


class Setting(Struct, forbid_unknown_fields=True):
    kind: str
    channel: str | None = None  # of what it carries, where it carries but one
    settings: dict[str, Any] = {}  # msgspec copies it
    rate: float = 0  # messages a second; 0 is no limit
    lane: str | None = None
    warm_up: WarmUp | None = None  # of mail: how much a local day may bring
    domains: dict[str, DomainLimit] = {}  # of mail: limits by the domain of the address


class Sealed(Struct, frozen=True):
    """The body to publish, and the secrets made just now that somebody has to be told."""

    body: dict[str, Any]
    made: dict[str, Any]


async def sealed(conn: AsyncConnection[Any], workspace: int, name: str, setting: Setting, configured: str) -> Sealed:
    """Secrets left out stay as they are; raises `Unprocessable` for what cannot be set.

    A text left empty is left out, as forms send it; an empty list takes away what was there.
    """
    provider = _provider(setting)
    channel = setting.channel or provider.channel or "email"
    _check_limits(setting, channel, provider)
    secrets = vault.secrets_of(await accounts.secret(conn), configured)
    before = await store.current(conn, workspace, name) or {}
    held: dict[str, Any] = {}
    if before.get("kind") == setting.kind and before.get("sealed"):
        held = vault.unseal_any(secrets, workspace, before["sealed"])
    given = {
        key: value for key, value in setting.settings.items() if key in provider.secrets and value not in (None, "")
    }
    open_settings = {key: value for key, value in setting.settings.items() if key not in provider.secrets}
    made = provider.make_secrets() if isinstance(provider, MakesSecrets) else {}
    hidden = {key: value for key, value in (made | held | given).items() if value}
    checked = _check(provider, open_settings | hidden)
    told = provider.shown_once if isinstance(provider, ShowsSecrets) else frozenset[str]()
    body = {
        "kind": setting.kind,
        "channel": channel,
        "settings": open_settings,
        "sealed": vault.seal(secrets[-1], workspace, hidden) if hidden else None,
        "hidden": sorted(hidden),
        "rate": setting.rate,
        "lane": setting.lane,
        "warm_up": msgspec.to_builtins(setting.warm_up),
        "domains": msgspec.to_builtins(setting.domains),
        "warnings": [msgspec.structs.asdict(each) for each in _within(checked.warnings)],
        "dns": checked.dns,
        "public": checked.public,
    }
    return Sealed(body, {key: made[key] for key in told if hidden.get(key) == made[key]})


def _provider(setting: Setting) -> Provider:
    provider = all_providers().get(setting.kind)
    if provider is None:
        known = ", ".join(all_providers())
        wrong = FieldError("/kind", "unsupported", f"one of {known}")
        raise Unprocessable(f"no provider of kind {setting.kind!r}", code="unsupported", errors=[wrong])
    if setting.channel is not None and provider.channel not in (None, setting.channel):
        wrong = FieldError("/channel", "unsupported", f"{setting.kind} carries {provider.channel}")
        raise Unprocessable(f"{setting.kind} does not carry {setting.channel!r}", code="unsupported", errors=[wrong])
    return provider


def _check_limits(setting: Setting, channel: str, provider: Provider) -> None:
    if setting.warm_up is None and not setting.domains:
        return
    wrong = problems(setting.warm_up, setting.domains)
    if channel != "email" or provider.is_local:
        at = "/warm_up" if setting.warm_up is not None else "/domains"
        wrong = [FieldError(at, "unsupported", "only what hands mail to receivers has days that are limited")]
    if wrong:
        raise Unprocessable("limits that cannot be kept", code="invalid_settings", errors=wrong)


def _check(provider: Provider, settings: dict[str, Any]) -> Checked:
    """What is to be said of them; raises `Unprocessable` for what cannot be."""
    known = {field.encode_name for field in msgspec.structs.fields(provider.settings)}
    if unknown := sorted(settings.keys() - known):
        errors = [FieldError(f"/settings/{key}", "unknown", f"known are {', '.join(sorted(known))}") for key in unknown]
        raise Unprocessable("settings that this provider does not know", code="invalid_settings", errors=errors)
    try:
        read = msgspec.convert(settings, provider.settings)
    except msgspec.ValidationError as error:
        found = misfit(error, provider.settings)
        raise Unprocessable(f"settings: {found.message}", code="invalid_settings", errors=_within([found])) from None
    checked = provider.check(read) if isinstance(provider, Particular) else Checked()
    if checked.problems:
        wrong = _within(checked.problems)
        raise Unprocessable("settings that cannot work", code="invalid_settings", errors=wrong)
    return checked


def _within(found: Sequence[FieldError]) -> list[FieldError]:
    return [FieldError(f"/settings{each.pointer}", each.code, each.message) for each in found]

"""Hand deliveries to the provider that a workspace has set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from kizuna.core.errors import Invalid
from kizuna.providers import CarriesDevices, Delivery, Outcome, Provider, Unavailable, all_providers, vault
from kizuna.providers.fan_out import Carrier, fan_out
from kizuna.providers.http import HttpProvider, Outside

Bearer = Callable[[Delivery], Outcome]


def bearer(secrets: Sequence[bytes], workspace: int, carrier: dict[str, Any], outside: Outside | None = None) -> Bearer:
    """Takes deliveries one by one. `carrier` is the definition's body, with those set before it `beside`.

    What cannot be read of it is an outcome too. Devices are shared out among the providers that reach them. `outside`
    keeps connections to HTTP APIs; without one each delivery has its own.
    """
    if not isinstance(all_providers().get(carrier["kind"]), CarriesDevices):
        return _one(secrets, workspace, carrier, outside)
    carriers: list[Carrier] = []
    for each in (carrier, *carrier.get("beside", ())):
        provider = all_providers().get(each["kind"])
        if isinstance(provider, CarriesDevices):
            carriers.append((provider.carries, _one(secrets, workspace, each, outside)))
    return lambda delivery: fan_out(delivery, carriers)


def _one(secrets: Sequence[bytes], workspace: int, carrier: dict[str, Any], outside: Outside | None) -> Bearer:
    provider = all_providers().get(carrier["kind"])
    if provider is None:
        unknown = Unavailable(f"this release knows no provider {carrier['kind']!r}")
        return lambda _: unknown
    try:
        settings = opened(secrets, workspace, carrier, provider)
    except (Invalid, msgspec.ValidationError) as error:
        unusable = Unavailable(str(error))
        return lambda _: unusable
    if outside is not None and isinstance(provider, HttpProvider):
        return lambda delivery: outside.deliver(provider, delivery, settings)
    return lambda delivery: provider.deliver(delivery, settings)


def opened(secrets: Sequence[bytes], workspace: int, carrier: dict[str, Any], provider: Provider) -> Any:
    """The settings with their secrets; raises `Invalid` or `ValidationError` where they cannot be used."""
    values = dict(carrier.get("settings") or {})
    if carrier.get("sealed"):
        values |= vault.unseal_any(secrets, workspace, carrier["sealed"])
    return msgspec.convert(values, provider.settings)

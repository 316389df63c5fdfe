"""Hand deliveries to the provider that a workspace has set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from kizuna.core.errors import Invalid
from kizuna.providers import CarriesDevices, Delivery, Outcome, Unavailable, all_providers, vault
from kizuna.providers.fan_out import Carrier, fan_out

Bearer = Callable[[Delivery], Outcome]


def bearer(secrets: Sequence[bytes], workspace: int, carrier: dict[str, Any]) -> Bearer:
    """Takes deliveries one by one. `carrier` is the definition's body, with those set before it `beside`.

    What cannot be read of it is an outcome too. Devices are shared out among the providers that reach them.
    """
    if not isinstance(all_providers().get(carrier["kind"]), CarriesDevices):
        return _one(secrets, workspace, carrier)
    carriers: list[Carrier] = []
    for each in (carrier, *carrier.get("beside", ())):
        provider = all_providers().get(each["kind"])
        if isinstance(provider, CarriesDevices):
            carriers.append((provider.carries, _one(secrets, workspace, each)))
    return lambda delivery: fan_out(delivery, carriers)


def _one(secrets: Sequence[bytes], workspace: int, carrier: dict[str, Any]) -> Bearer:
    provider = all_providers().get(carrier["kind"])
    if provider is None:
        unknown = Unavailable(f"this release knows no provider {carrier['kind']!r}")
        return lambda _: unknown
    try:
        values = dict(carrier.get("settings") or {})
        if carrier.get("sealed"):
            values |= vault.unseal_any(secrets, workspace, carrier["sealed"])
        settings = msgspec.convert(values, provider.settings)
    except (Invalid, msgspec.ValidationError) as error:
        unusable = Unavailable(str(error))
        return lambda _: unusable
    return lambda delivery: provider.deliver(delivery, settings)

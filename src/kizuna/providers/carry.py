"""Hand deliveries to the provider that a workspace has set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from kizuna.core.errors import Invalid
from kizuna.providers import Delivery, Outcome, Unavailable, all_providers, vault

Bearer = Callable[[Delivery], Outcome]


def bearer(secrets: Sequence[bytes], workspace: int, carrier: dict[str, Any]) -> Bearer:
    """Takes deliveries one by one. `carrier` is the definition's body; what cannot be read of it is an outcome too."""
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

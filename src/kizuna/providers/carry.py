"""Hand one delivery to the provider that a workspace has set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from kizuna.core.errors import Invalid
from kizuna.providers import Delivery, Outcome, Unavailable, all_providers, vault


def carry(secrets: Sequence[bytes], workspace: int, carrier: dict[str, Any], delivery: Delivery) -> Outcome:
    """`carrier` is the definition's body; what cannot be read of it is an outcome too."""
    provider = all_providers().get(carrier["kind"])
    if provider is None:
        return Unavailable(f"this release knows no provider {carrier['kind']!r}")
    try:
        values = dict(carrier.get("settings") or {})
        if carrier.get("sealed"):
            values |= vault.unseal_any(secrets, workspace, carrier["sealed"])
        settings = msgspec.convert(values, provider.settings)
    except (Invalid, msgspec.ValidationError) as error:
        return Unavailable(str(error))
    return provider.deliver(delivery, settings)

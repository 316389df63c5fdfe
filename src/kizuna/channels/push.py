"""Push: the address is the devices that the customer was seen on, one message for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kizuna.profiles.device import Device


class Push:
    name = "push"

    def address(self, traits: Mapping[str, Any]) -> str | None:
        return None

    def address_on(self, devices: Sequence[Device]) -> str | None:
        """Their ids, the one seen last first; tokens stay in the record."""
        return ", ".join(device.id for device in reversed(devices)) or None

    def is_valid(self, address: str) -> bool:
        return True


channel = Push()

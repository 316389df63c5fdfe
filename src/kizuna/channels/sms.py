"""SMS: the address is the trait `phone` (see `core.phone`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kizuna.core import phone


class Sms:
    name = "sms"

    def address(self, traits: Mapping[str, Any]) -> str | None:
        return phone.of_traits(traits)

    def is_valid(self, address: str) -> bool:
        return phone.is_number(address)


channel = Sms()

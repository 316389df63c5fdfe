"""WhatsApp: the address is the trait `phone`, written as E.164 says, because WhatsApp tells numbers that way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_ADDRESS = re.compile(r"\+[1-9][0-9]{6,14}\Z")


class WhatsApp:
    name = "whatsapp"
    trait = "phone"

    def address(self, traits: Mapping[str, Any]) -> str | None:
        value = traits.get(self.trait)
        return value.strip() or None if isinstance(value, str) else None

    def is_valid(self, address: str) -> bool:
        return bool(_ADDRESS.match(address))


channel = WhatsApp()

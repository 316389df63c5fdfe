"""Mail: the address is the trait `email`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# RFC 5321 dot-strings with RFC 6531 letters; quoted local parts and address literals are not mailed to
_ATOM = r"[^\s\x00-\x1f\x7f\"(),.:;<>@\[\\\]]+"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*\Z")


class Email:
    name = "email"

    def address(self, traits: Mapping[str, Any]) -> str | None:
        value = traits.get("email")
        return value.strip() or None if isinstance(value, str) else None

    def is_valid(self, address: str) -> bool:
        local = address.rpartition("@")[0]
        if len(address) > 254 or len(local.encode()) > 64:
            return False
        return bool(_ADDRESS.match(address))


channel = Email()

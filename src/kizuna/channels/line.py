"""LINE: the address is the trait `line_id`, by which LINE knows a friend of one provider's accounts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_ADDRESS = re.compile(r"U[0-9a-f]{32}\Z")


class Line:
    name = "line"
    trait = "line_id"

    def address(self, traits: Mapping[str, Any]) -> str | None:
        value = traits.get(self.trait)
        return value.strip() or None if isinstance(value, str) else None

    def is_valid(self, address: str) -> bool:
        return bool(_ADDRESS.match(address))


channel = Line()

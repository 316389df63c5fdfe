"""Phone calls by people: the address is the trait `phone` (see `core.phone`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kizuna.core import phone


class Call:
    name = "call"
    only_when_named = True

    def address(self, traits: Mapping[str, Any]) -> str | None:
        return phone.of_traits(traits)

    def is_valid(self, address: str) -> bool:
        return phone.is_number(address)


channel = Call()

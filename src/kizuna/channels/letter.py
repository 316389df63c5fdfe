"""Letters: the address is the trait `address` with the name beside it, one part a line (see `paper.address`)."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from typing import Any

from kizuna.paper.address import of_text, of_traits


class Letter:
    name = "letter"
    only_when_named = True

    def address(self, traits: Mapping[str, Any]) -> str | None:
        found = of_traits(traits)
        return found.text if found else None

    def is_valid(self, address: str) -> bool:
        return of_text(address).is_valid

    def key(self, address: str) -> str:
        """Whoever moves in later is another address: the name is part of it. Case, width and spaces are not."""
        plain = "\n".join(
            "".join(line.split()) for line in unicodedata.normalize("NFKC", address).casefold().split("\n")
        )
        return f"sha256:{hashlib.sha256(plain.encode()).hexdigest()}"


channel = Letter()

"""Content cards: a feed within a page, for weeks."""

from __future__ import annotations

from typing import ClassVar

from kizuna.channels import InPage


class Card(InPage):
    name: ClassVar[str] = "card"
    expires: ClassVar[str] = "30d"


channel = Card()

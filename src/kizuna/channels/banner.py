"""Banners: shown at a named place of a page."""

from __future__ import annotations

from typing import ClassVar

from kizuna.channels import InPage


class Banner(InPage):
    name: ClassVar[str] = "banner"


channel = Banner()

"""In-app messages: shown over a page when their trigger happens."""

from __future__ import annotations

from typing import ClassVar

from kizuna.channels import InPage


class InApp(InPage):
    name: ClassVar[str] = "in_app"


channel = InApp()

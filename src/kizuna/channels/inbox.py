"""The inbox of a page: kept, read or not, until the customer deletes it."""

from __future__ import annotations

from typing import ClassVar

from kizuna.channels import InPage


class Inbox(InPage):
    name: ClassVar[str] = "inbox"
    expires: ClassVar[str] = "30d"


channel = Inbox()

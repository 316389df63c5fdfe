"""The messages section of a record."""

from __future__ import annotations

from kizuna.engine.slice import Section


class Messages(Section):
    """Nothing yet: each message is a row of its own, and no rule counts them here."""

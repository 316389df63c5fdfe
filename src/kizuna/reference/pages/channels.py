"""Channels."""

from __future__ import annotations

from kizuna.channels import all_channels, best_channels
from kizuna.providers import all_providers
from kizuna.reference.page import Page, code, codes, module_says, table


def page() -> Page:
    best, carriers = best_channels(), all_providers()
    rows = [
        (
            code(name), module_says(channel), "yes" if name in best else "",
            codes(kind for kind, each in carriers.items() if each.channel == name),
        )
        for name, channel in all_channels().items()
    ]  # fmt: skip
    about = (
        "Ways to reach a customer. `best` in a step chooses among those marked. The built-in outbox carries them all."
    )
    return Page("Channels", about, table(("channel", "reached how", "of `best`", "carried by"), rows))

"""Targets of feeds."""

from __future__ import annotations

from kizuna.feeds import all_targets
from kizuna.reference.page import Page, code, module_says, said
from kizuna.reference.shape import fields_table


def page() -> Page:
    sections = [
        f"## {code(name)}\n\n{module_says(target)}\n\n{said(target.settings)}\n\n"
        f"{fields_table(target.settings, target.secrets)}"
        for name, target in all_targets().items()
    ]
    about = "Where a feed carries the log: its `to: {kind, ...}`. See [feeds](../guides/feeds.md)."
    return Page("Targets of feeds", about, "\n\n".join(sections))

"""Kinds of definitions that are kept as files."""

from __future__ import annotations

from kizuna.definitions.kinds import all_kinds
from kizuna.reference.page import Page, code, module_says, table


def page() -> Page:
    rows = [
        (code(kind.name), code(f"{kind.folder}/"), "yes" if kind.has_drafts else "", module_says(kind))
        for kind in all_kinds().values()
    ]
    about = (
        "What `kizuna plan`, `apply` and `export` know, in the order in which it is published. "
        "See [as code](../guides/as-code.md)."
    )
    return Page("Definitions", about, table(("kind", "folder", "drafts", "what a file holds"), rows))

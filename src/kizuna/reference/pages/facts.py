"""What Kizuna itself says on timelines."""

from __future__ import annotations

from kizuna.reference.page import Page, code, table
from kizuna.reference.source import declared_facts


def page() -> Page:
    rows = [
        (
            code(fact.name), fact.type, fact.when,
            "<br>".join(f"{code(name)}: {about}" for name, about in fact.properties.items()),
        )
        for fact in declared_facts()
    ]  # fmt: skip
    about = (
        "Events and facts that Kizuna itself emits, to be used in rules, entries and exits like events of your own. "
        "A `?` marks what may be missing. Events from outside keep the name they came with; a step `emit` says names "
        "of your choice."
    )
    return Page("Facts", about, table(("name", "type", "said when", "properties"), rows))

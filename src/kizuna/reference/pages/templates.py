"""Tags and filters beside Liquid's."""

from __future__ import annotations

from liquid import Environment

from kizuna.reference.page import Page, code, said, table
from kizuna.templates import budget
from kizuna.templates.liquid_engine import plain_environment


def page() -> Page:
    ours, liquid = plain_environment(autoescape=False), Environment()
    filters = sorted(ours.filters.keys() - liquid.filters.keys())
    tags = sorted(ours.tags.keys() - liquid.tags.keys())
    limits = [
        ("time", f"{budget.SECONDS:g} s"),
        ("output", f"{budget.OUTPUT_BYTES} bytes"),
        ("one value", f"{budget.VALUE_CHARACTERS} characters"),
        ("nesting", f"{budget.DEPTH} levels"),
    ]
    parts = [
        "## Tags",
        table(("tag", "what it does"), [(code(name), said(type(ours.tags[name]))) for name in tags]),
        "## Filters",
        table(("filter", "what it does"), [(code(name), said(ours.filters[name])) for name in filters]),
        "## Limits",
        table(("of one rendering", "limit"), limits),
    ]
    about = "Tags and filters of templates beside those of Liquid, and what one rendering may use."
    return Page("Tags and filters", about, "\n\n".join(parts))

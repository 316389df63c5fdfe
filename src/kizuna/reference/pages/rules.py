"""Forms and operators of rules."""

from __future__ import annotations

from kizuna.reference.page import Page, code, codes, table
from kizuna.segments import described, parse
from kizuna.segments.rule import NUMBER_OPERATORS, OPERATORS


def page() -> Page:
    forms = [(code(name), code(example), about) for name, (example, about) in described.FORMS.items()]
    limits = [
        ("nesting", f"{parse.MAX_DEPTH} levels"),
        ("parts", str(parse.MAX_NODES)),
        ("parts that look at events", str(parse.MAX_LEAVES)),
        ("times and values kept of a customer", str(parse.MAX_KEPT)),
        ("a window that keeps every event", f"{parse.MAX_DAYS} days"),
    ]
    parts = [
        "## Forms",
        table(("form", "example", "true when"), forms),
        "## Operators",
        f'Aggregates take {codes(NUMBER_OPERATORS)}; `"fold": true` beside an operator compares text without regard to '
        "case and width.",
        table(("operator", "takes", "true when"), [(code(name), *described.OPERATORS[name]) for name in OPERATORS]),
        "## Limits",
        table(("of one rule", "limit"), limits),
    ]
    about = "What a segment's `where`, an audience or a branch may ask. See [segments](../guides/segments.md)."
    return Page("Rules", about, "\n\n".join(parts))

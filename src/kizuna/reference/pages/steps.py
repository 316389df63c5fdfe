"""Steps of journeys."""

from __future__ import annotations

from kizuna.journeys.steps import all_steps
from kizuna.reference.page import Page, code, codes, module_says, table


def page() -> Page:
    rows = [(code(name), codes(step.beside), module_says(step)) for name, step in all_steps().items()]
    about = (
        "One object a step: `id`, `title?`, `next?` (`end` leaves) and the key that names its kind, with further keys "
        "beside it where the kind has them. See [journeys](../guides/journeys.md)."
    )
    return Page("Steps of journeys", about, table(("kind", "keys beside it", "what it does"), rows))

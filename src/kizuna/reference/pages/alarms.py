"""Checks of the doctor, and which of them are alarms."""

from __future__ import annotations

from kizuna.alarms.watch import watched
from kizuna.folds import deep_questions
from kizuna.reference.page import Page, code, table
from kizuna.runtime.doctor import questions


def page() -> Page:
    alarms = watched()
    everything = {each.name: each for each in (*questions(), *deep_questions())}
    rows = [(code(name), "yes" if name in alarms else "", f"… {each.advice}") for name, each in everything.items()]
    about = (
        "What `kizuna doctor` asks. Those marked as alarms are asked all the time: what they find is raised once at "
        "`GET /api/v1/alarms`, and resolved when it is well again."
    )
    return Page("Checks and alarms", about, table(("name", "alarm", "what it found"), rows))

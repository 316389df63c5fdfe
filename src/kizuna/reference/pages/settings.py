"""Settings of an installation."""

from __future__ import annotations

from kizuna.config import FILE, PREFIX, Config
from kizuna.reference.page import Page, code, table
from kizuna.reference.shape import fields


def page() -> Page:
    rows = [
        (code(f"{PREFIX}{each.name.upper()}"), code(each.name), each.type, each.default, each.about)
        for each in fields(Config)
    ]
    about = f"What an operator may set: on the command line, in the environment or in {code(FILE)}, in that order."
    return Page("Settings", about, table(("variable", f"in {code(FILE)}", "type", "default", "meaning"), rows))

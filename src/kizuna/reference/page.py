"""A page, and how tables and sentences are written in Markdown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct


class Page(Struct, frozen=True):
    """One file. `about` is its line in the index and its first paragraph."""

    title: str
    about: str
    body: str

    def text(self, mark: str) -> str:
        text = f"# {self.title}\n\n{mark}\n\n{self.about}\n\n{self.body.strip()}\n"
        return re.sub(r"\n{3,}", "\n\n", text)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Empty where there are no rows."""
    lines = ["| " + " | ".join(_cell(each) for each in row) + " |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *lines])


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().replace("|", "\\|")


def code(text: object) -> str:
    """As it is typed."""
    return f"`{text}`"


def codes(names: Iterable[str]) -> str:
    return ", ".join(code(name) for name in names)


def said(thing: Any) -> str:
    """The docstring of a function, class or module as one paragraph; empty where there is none of its own."""
    text = thing if isinstance(thing, str) else inspect.getdoc(thing) if not isinstance(thing, type) else thing.__doc__
    paragraph = " ".join((text or "").strip().split("\n\n")[0].split())
    return paragraph if not paragraph or paragraph.endswith((".", "!", "?", "`")) else f"{paragraph}."


def module_says(thing: Any) -> str:
    """The first paragraph of the module in which a plugin stands."""
    module = inspect.getmodule(thing if inspect.isfunction(thing) or isinstance(thing, type) else type(thing))
    return said(module.__doc__ or "") if module else ""

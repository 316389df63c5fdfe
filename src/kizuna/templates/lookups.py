"""What a rendering may draw from beside its variables: answers had beforehand. It does no I/O: what it has no answer
for ends it with `Missing`; whoever renders gets that answer and renders again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from kizuna.fetches.request import Answer, Request

Item = Mapping[str, Any]
MOST_LOOKUPS = 40  # of one rendering: each is another try
MOST_EXTRAS = 10
LONGEST_KEY, LONGEST_VALUE = 64, 512


class Items(Struct, frozen=True):
    """Items of a catalog by their ids. Answer: a list of those that are there, in this order; None: no such catalog."""

    catalog: str
    ids: tuple[str, ...]


class Selection(Struct, frozen=True):
    """The items that a catalog's selection names. Answer: a list; None: no such catalog or selection."""

    catalog: str
    name: str


class Code(Struct, frozen=True):
    """A code of a promotion. Answer: the code, or `Unsaid`: then the message is not said."""

    promotion: str


class Unsaid(Struct, frozen=True):
    """Why there is none."""

    reason: str
    words: str


Wanted = Items | Selection | Code | Request
Found = list[Item] | str | Unsaid | Answer | None


class Missing(Exception):
    """The rendering cannot go on without this answer."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(type(wanted).__name__)
        self.wanted = wanted


class Lookups:
    """Answers of one rendering, and what it notes for the log."""

    def __init__(self, answers: Mapping[Wanted, Found] | None = None) -> None:
        self.answers = answers or {}
        self.codes: dict[str, str] = {}  # by promotion, those said
        self.extras: dict[str, Any] = {}

    def get(self, wanted: Wanted) -> Found:
        """Raises `Missing`."""
        try:
            return self.answers[wanted]
        except KeyError:
            raise Missing(wanted) from None

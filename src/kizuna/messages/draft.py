"""A message that may be sent, if its template says something."""

from __future__ import annotations

from msgspec import Struct

from kizuna.messages.claim import Person
from kizuna.messages.message import Claimed
from kizuna.templates.definition import Template


class Parsed(Struct, frozen=True):
    """A template's version as read, and whether what it says may depend on segments."""

    template: Template
    names_segments: bool
    blocks: frozenset[str]  # names of other templates that it puts in


class Draft(Struct, frozen=True):
    message: Claimed
    person: Person
    address: str
    parsed: Parsed | None  # None: there is no such template, or the message was worded before
    at: int

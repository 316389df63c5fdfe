"""Templates that were read, kept for the next who renders them; what is rendered often is compiled."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock

from liquid import BoundTemplate

from kizuna.templates.compiled import Compiled
from kizuna.templates.liquid_engine import BoundedEnvironment, plain_environment
from kizuna.templates.python_source import TooMuch

COMPILED_AT = 8  # renderings: compiling takes as long as a dozen by the interpreter
MOST = 512
MOST_CHARACTERS = 4_000_000  # of all sources kept: parsed and compiled they take twenty times that, or more

Key = tuple[str, bool, tuple[tuple[str, str], ...]]


class Parsed:
    def __init__(self, template: BoundTemplate, characters: int) -> None:
        self.template, self.characters = template, characters
        self._uses = 0
        self._compiled: Compiled | None = None

    def compiled(self) -> Compiled | None:
        self._uses += 1
        if self._uses == COMPILED_AT:
            with suppress(TooMuch, RecursionError):
                self._compiled = Compiled(self.template)
        return self._compiled


class Shelf:
    """The templates used last, bounded by how many and how long they are."""

    def __init__(self, most: int = MOST, most_characters: int = MOST_CHARACTERS) -> None:
        self.most, self.most_characters = most, most_characters
        self._kept: OrderedDict[Key, Parsed] = OrderedDict()
        self._characters = 0
        self._lock = Lock()

    def parsed(self, text: str, escapes: bool, partials: Mapping[str, str] | None = None) -> Parsed:
        key = (text, escapes, tuple(sorted(partials.items())) if partials else ())
        with self._lock:
            if found := self._kept.get(key):
                self._kept.move_to_end(key)
                return found
        environment = BoundedEnvironment(autoescape=escapes, partials=partials) if partials else None
        template = (environment or plain_environment(escapes)).from_string(text)
        made = Parsed(template, len(text) + sum(len(body) for _, body in key[2]))
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._characters += made.characters
            while len(self._kept) > self.most or self._characters > self.most_characters:
                self._characters -= self._kept.popitem(last=False)[1].characters
        return made


SHELF = Shelf()

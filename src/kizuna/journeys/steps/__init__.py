"""The contract of a step. Every other file in this folder is one step, found by its being there."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache
from typing import Any, ClassVar, Protocol

from msgspec import Struct

from kizuna.engine.moment import Moment
from kizuna.engine.slice import Scope
from kizuna.journeys.problems import Problems, Ruled
from kizuna.journeys.run import Run

END = "end"  # `next: end` leaves the journey


class Proceed(Struct, frozen=True):
    """Go on: to the step named, else to the one that follows."""

    to: str = ""


class Wait(Struct, frozen=True):
    """Stay until the instant, or until something heard says otherwise."""

    until: int


class Exit(Struct, frozen=True):
    """Leave the journey; `note` says why in words."""

    reason: str
    note: str = ""


Next = Proceed | Wait | Exit


class Target(Struct, frozen=True):
    """A step another step leads to, and where that is written."""

    pointer: str
    id: str


class Voice(Protocol):
    """How a run speaks and is silenced: the messages slice."""

    def request(self, scope: Scope, wanted: Any, /) -> object: ...
    def cancel(self, scope: Scope, run: str, /) -> None: ...


class Rules(Protocol):
    """How a rule is answered: the segments slice. `next_change` is an instant after now, or 0."""

    def holds(self, scope: Scope, key: str, /) -> bool: ...
    def is_ready(self, scope: Scope, key: str, /) -> bool: ...
    def next_change(self, scope: Scope, key: str, /) -> int: ...


class Context(Struct):
    """What a step may see and do while it decides."""

    scope: Scope
    rules: Rules
    voice: Voice
    zone: str  # the profile's, else the workspace's
    node: str  # the id of the step
    since: int  # event time of what is being folded
    entries: list[tuple[str, dict[str, Any], str]]  # journeys to enter next, with data and cause

    @property
    def now(self) -> int:
        return self.scope.now


class Step:
    """One kind of step. `settings` is what `parse` gave; what a step decides depends on its arguments alone."""

    name: ClassVar[str]  # the key that holds its settings in a document
    beside: ClassVar[tuple[str, ...]] = ()  # further keys beside `id`, `title`, `next` and its name
    Settings: ClassVar[type[Struct]]  # what `parse` gives

    def parse(self, raw: dict[str, Any], pointer: str, problems: Problems) -> Any:
        """Settings from the step's object; what is wrong is noted, never raised."""
        raise NotImplementedError

    def arrive(self, run: Run, settings: Any, context: Context) -> Next:
        """The run has just come here, at `run.arrived_at`."""
        raise NotImplementedError

    def due(self, run: Run, settings: Any, context: Context) -> Next:
        """The instant it waited for has come (or passed, if the journey was paused)."""
        return Proceed()

    def hear(self, run: Run, settings: Any, moment: Moment, context: Context) -> Next | None:
        """Something happened while it waits; None stays."""
        return None

    def targets(self, settings: Any) -> Iterable[Target]:
        """Steps it may lead to beside the one that follows."""
        return ()

    def falls_through(self, settings: Any) -> bool:
        """Whether it may lead to the step that follows (or its `next`)."""
        return True

    def waits(self, settings: Any) -> bool:
        """Whether passing it always takes time: a loop needs such a step."""
        return False

    def rules(self, settings: Any) -> Iterable[Ruled]:
        """Rules whose answers it asks for."""
        return ()

    def wins(self, settings: Any) -> Iterable[str]:
        """Goals by which it learns: of `draw.GOALS`."""
        return ()

    def events(self, settings: Any) -> Iterable[str]:
        """Names of events and facts it may hear while waiting."""
        return ()


@cache
def all_steps() -> dict[str, Step]:
    """Every step of this folder by name."""
    found: dict[str, Step] = {}
    for module in pkgutil.iter_modules(__path__):
        for value in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Step) and value is not Step:
                found[value.name] = value()
    return dict(sorted(found.items()))

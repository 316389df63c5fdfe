"""The last slice of a simulated fold: remembers how often it heard each messageId."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import field

from kizuna.engine.moment import FROM_OUTSIDE, Moment
from kizuna.engine.slice import Definition, Scope, Section, Workspace, Writer

NAME = "witness"


class Heard(Section):
    times: dict[str, int] = field(default_factory=dict)  # by messageId


class Witness:
    """Commits with the records, so it says what their other sections were told."""

    name: ClassVar[str] = NAME
    section: ClassVar[type[Section]] = Heard
    writers: ClassVar[Mapping[type, Writer]] = {}

    def compile(self, workspace: Workspace, definitions: Sequence[Definition], lower: Mapping[str, Any]) -> None:
        return None

    def hears(self, part: None, kind: str, name: str) -> bool:
        return kind in FROM_OUTSIDE

    def fold(self, moment: Moment, scope: Scope) -> None:
        if moment.type in FROM_OUTSIDE:
            times = scope.record[NAME].times
            times[moment.id] = times.get(moment.id, 0) + 1
            scope.record.touch(NAME)

    def wake(self, scope: Scope) -> None:
        scope.record[NAME].wake_at = 0

    def absorb(self, other: Section, scope: Scope) -> None:
        assert isinstance(other, Heard)  # noqa: S101  # the engine gives each slice its own section
        times = scope.record[NAME].times
        for message, count in other.times.items():
            times[message] = times.get(message, 0) + count
        scope.record.touch(NAME)

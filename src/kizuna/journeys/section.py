"""The journeys' part of a record: open runs, and what is remembered of those that ended."""

from __future__ import annotations

from msgspec import Struct, field

from kizuna.core.clock import DAY
from kizuna.engine.slice import Section
from kizuna.journeys.draw import Draw
from kizuna.journeys.run import Run

KEPT = 256  # ended runs remembered beyond those whose journey still needs them
LATE = 3 * DAY  # how long after its end a goal's window still takes events that arrive late


class Ended(Struct, array_like=True, gc=False):
    """The last entry of a (journey, key), when its run is over."""

    journey: str
    key: str
    run: bytes
    version: int
    step: str
    entered_at: int
    left_at: int
    reason: str


class Watched(Struct, array_like=True, gc=False, eq=False):
    """A run that is over and may still meet its goal, up to and including `until`."""

    run: bytes
    journey: str
    version: int
    key: str
    step: str
    began: int
    until: int


class Clock(Struct, array_like=True, gc=False):
    """When a journey that begins by the calendar takes this profile next."""

    due: int = 0  # 0: not again, as far as can be seen
    slot: int = 0  # the local time that occurs then (`schedule.Occurrence`)
    had: int = 0  # the latest local time that occurred: none occurs twice, wherever the profile moves


class Journeys(Section):
    open: list[Run] = field(default_factory=list)  # oldest entry first
    ended: list[Ended] = field(default_factory=list)  # at most one per (journey, key), latest end last
    watched: list[Watched] = field(default_factory=list)
    seen: int = 0  # how far publishes that move runs or set clocks are taken (`program.changed`)
    clocks: dict[str, Clock] = field(default_factory=dict)  # by journey
    draws: list[Draw] = field(default_factory=list)  # of learning splits, oldest first

    def last(self, journey: str, key: str) -> Ended | None:
        return next((each for each in self.ended if each.journey == journey and each.key == key), None)

    def remember(self, ended: Ended) -> None:
        """Keep the later entry of its (journey, key)."""
        known = self.last(ended.journey, ended.key)
        if known is not None:
            if known.entered_at > ended.entered_at:
                return
            self.ended.remove(known)
        self.ended.append(ended)

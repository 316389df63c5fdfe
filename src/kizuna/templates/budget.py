"""What one rendering may cost, counted in work, so that preview and send stop alike; time is the last stop."""

from __future__ import annotations

import time
from typing import Any

from liquid.exceptions import ResourceLimitError

from kizuna.templates.lookups import Lookups

TURNS = 10_000  # of all loops and partials together
OUTPUT_BYTES = 512 * 1024
DEPTH = 30
VALUE_ELEMENTS = 20_000  # of one value, nested ones included
VALUE_CHARACTERS = 2_000_000
WORK = 40_000_000  # characters and elements handed to filters, together
LOCALS_BYTES = 16_000_000
NUMBER_BITS = 4_096
SMALL = 1 << 62  # numbers up to here cost the same
SECONDS = 1.5  # checked between steps, each of which is short, so that an answer comes within 2 s


class Budget:
    """Spent by the context, the filters and the output of one rendering."""

    __slots__ = ("deadline", "lookups", "now", "turns", "warnings", "work", "zone")

    def __init__(
        self, now: int | None = None, zone: str = "UTC", seconds: float = SECONDS, lookups: Lookups | None = None
    ) -> None:
        self.deadline = time.monotonic() + seconds
        self.turns = TURNS
        self.work = WORK
        self.warnings: dict[str, None] = {}
        self.now = now  # what `now` means in the date filter
        self.zone = zone
        self.lookups = lookups or Lookups()  # what the tags of ours draw from

    def turn(self) -> None:
        """One more turn of a loop, or one more partial."""
        self.turns -= 1
        if self.turns < 0:
            raise ResourceLimitError(f"more than {TURNS:,} turns of loops", token=None)
        self.check_time()

    def charge(self, work: int) -> None:
        self.work -= work
        if self.work < 0:
            raise ResourceLimitError("too much work for one template", token=None)
        self.check_time()

    def check_time(self) -> None:
        if time.monotonic() > self.deadline:
            raise ResourceLimitError("the template takes too long", token=None)

    def charge_value(self, value: Any) -> int:
        """Charge for handing a value over; refuses one that would swell. Answers its size as text, roughly."""
        size = measure(value)
        self.charge(1 + size)
        return size

    @property
    def hears(self) -> bool:
        """Whether another warning would be kept."""
        return len(self.warnings) < 50

    def warn(self, message: str) -> None:
        self.warnings[message] = None


def measure(value: Any) -> int:
    """The size of a value written out. Shared parts count each time: written out, they are there each time."""
    kind = type(value)
    if value is None or kind is bool or kind is float:
        return 8
    if kind is int and -SMALL < value < SMALL:
        return 16
    if isinstance(value, str):
        if len(value) > VALUE_CHARACTERS:
            raise ResourceLimitError("a value is too long", token=None)
        return len(value)
    return _measure_nested(value)


def _measure_nested(value: Any) -> int:
    size = elements = 0
    stack = [value]
    while stack:
        found = stack.pop()
        elements += 1
        if isinstance(found, str):
            size += len(found)
        elif isinstance(found, dict):
            elements += len(found)
            size += 6 * len(found)
            stack.extend(found.values())
            stack.extend(found.keys())
        elif isinstance(found, (list, tuple)):
            elements += len(found)
            size += 4 * len(found)
            if elements <= VALUE_ELEMENTS:
                stack.extend(found)
        elif isinstance(found, range):
            elements += found.stop - found.start if found.stop > found.start else 0
            size += 8
        elif isinstance(found, int):
            if found.bit_length() > NUMBER_BITS:
                raise ResourceLimitError("a number is too large", token=None)
            size += 8 + found.bit_length() // 3
        else:
            size += 16
        if elements > VALUE_ELEMENTS or size > VALUE_CHARACTERS:
            raise ResourceLimitError("a value is too long", token=None)
    return size + elements

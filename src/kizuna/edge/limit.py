"""How often somebody may ask a public endpoint: so many in a window, for each name."""

from __future__ import annotations

import time
from collections.abc import Callable

from kizuna.core.errors import TooMany

MOST_NAMES = 100_000  # kept in one window: who comes after them waits for the next


class Limiter:
    """Counts in fixed windows of `seconds`; a server counts for itself."""

    def __init__(
        self, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic, most_names: int = MOST_NAMES
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._most_names = most_names
        self._ends_at = 0.0
        self._counts: dict[str, int] = {}

    def take(self, name: str, most: int) -> None:
        """Raises `TooMany` with the seconds to wait."""
        now = self._clock()
        if now >= self._ends_at:
            self._counts.clear()
            self._ends_at = now + self._seconds
        count = self._counts.get(name, 0)
        if count >= most or (not count and len(self._counts) >= self._most_names):
            raise TooMany("too many in a short time; try again later", retry_after=int(self._ends_at - now) + 1)
        self._counts[name] = count + 1

"""How often one thing done to one message is written down: who holds a link of it can follow it without end."""

from __future__ import annotations

import time
from collections.abc import Callable

MOST = 100  # of one state of one message, in a window
SECONDS = 3600.0
MOST_COUNTED = 100_000  # messages and states; where more come in one window, counting begins anew


class TouchRation:
    """Counts in fixed windows; a server counts for itself."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most_counted: int = MOST_COUNTED) -> None:
        self._clock, self._most_counted = clock, most_counted
        self._ends_at = 0.0
        self._counts: dict[tuple[bytes, str], int] = {}

    def takes(self, message: bytes, state: str) -> bool:
        """Whether one more is written, which is counted then."""
        now, key = self._clock(), (message, state)
        if now >= self._ends_at or (len(self._counts) >= self._most_counted and key not in self._counts):
            self._counts.clear()
            self._ends_at = now + SECONDS
        count = self._counts.get(key, 0)
        if count >= MOST:
            return False
        self._counts[key] = count + 1
        return True

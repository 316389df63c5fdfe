"""Keeps children running: one that ends is started again, later each time when it ends at once."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

LIVED = 5.0  # seconds after which an end is an accident, not a habit
FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0


class Child:
    """A child by name and how to start it."""

    def __init__(self, name: str, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        self.name = name
        self.start = start
        self.process: subprocess.Popen[bytes] | None = None
        self.ended_at_once = 0  # times in a row
        self.started_at = 0.0
        self.due_at = 0.0

    @property
    def delay(self) -> float:
        """The pause before the next start; none after a decent life."""
        if not self.ended_at_once:
            return 0.0
        return min(FIRST_DELAY * 2 ** (self.ended_at_once - 1), LONGEST_DELAY)


class Keeper:
    """Its children run, or are due to."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.children: list[Child] = []
        self._say = say

    def add(self, child: Child) -> None:
        self.children.append(child)
        self.turn()

    def turn(self) -> float | None:
        """Notice ends, start what is due; gives the seconds until something is due, None for nothing."""
        now = time.monotonic()
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                self._ended(child, now)
            if child.process is None and child.due_at <= now:
                child.started_at = now
                child.process = child.start()
        waiting = [child.due_at for child in self.children if child.process is None]
        return max(min(waiting) - now, 0.0) if waiting else None

    def _ended(self, child: Child, now: float) -> None:
        assert child.process is not None  # noqa: S101
        child.ended_at_once = child.ended_at_once + 1 if now - child.started_at < LIVED else 0
        child.due_at = now + child.delay
        again = f"again in {child.delay:.1f} s" if child.delay else "started again"
        self._say(f"{child.name} ended ({describe(child.process.returncode)}): {again}")
        child.process = None


def describe(code: int) -> str:
    """An exit code in words."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"
